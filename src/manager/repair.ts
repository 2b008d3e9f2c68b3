import { catalogueSliceRows, copyPatienceMs, repairLookMax } from '../core/limits.ts'
import type { ManagerContext } from './context.ts'
import { orderCopy } from './copy-orders.ts'
import type { CopyOutcome } from './copy-orders.ts'
import { standingsKey } from './node-standing.ts'
import type { Standings } from './node-standing.ts'
import { mayDeleteCopies } from './may-delete.ts'
import { copiesCount } from './membership.ts'
import { lookAtPack } from './repair-look.ts'
import type { PackLook } from './repair-look.ts'
import { chooseSurplus, judgePack, standingsOf } from './repair-plan.ts'
import type { Urgency } from './repair-plan.ts'
import type { QueuedPack } from './repair-queue.ts'
import { trimCopies } from './trim.ts'
import { copiesWanted } from './vaults.ts'

/**
 * One bounded piece of repair: goes on through the catalogue where copies are looked for, and orders what there is room
 * for. @returns whether there is more to do now
 */
export async function repairStep(context: ManagerContext): Promise<boolean> {
  if (context.members.safeMode()) return false
  giveUpCopies(context)
  const more = await scan(context)
  await planRepairs(context)
  return more
}

/** Whatever a process of a node was ordered and nothing durable stands behind: it is another one, or removed. */
export function forgetOrders({ repair, orders, members }: ManagerContext, node: number): void {
  for (const { packId } of repair.cancel(orders.dropNode(node))) members.settle(packId)
}

/** Copies that cannot be expected any more. If one arrives all the same, its receipt is taken. */
function giveUpCopies(context: ManagerContext): void {
  const { repair, orders, members, clock } = context
  for (const job of repair.jobs()) {
    const source = members.stateOfRow(job.source)
    const target = members.stateOfRow(job.target)
    const late = clock.monotonicMs() - job.startedMs >= copyPatienceMs
    if (!late && copiesCount(source) && source !== 'suspect' && copiesCount(target)) continue
    orders.take(job.source, job.orderId)
    repair.end(job.orderId)
    members.settle(job.packId)
    repair.failed(job.pack, clock.monotonicMs(), late ? { target: job.target } : {})
    repair.queue.add('last-copy', job)
    context.logger.warn('a copy was given up', { pack: job.packId, late })
  }
}

async function scan(context: ManagerContext): Promise<boolean> {
  const { queue } = context.repair
  const standings = context.members.standings()
  const version = await context.catalogue.read((tx) => tx.copies.version())
  const nowMs = context.clock.monotonicMs()
  const from = queue.scanFrom({ version, nodes: standingsKey(standings), nowMs })
  if (from === undefined) return false
  const { packs, wanted } = await context.catalogue.read(async (tx) => {
    return { packs: await tx.packs.withCopies(from, catalogueSliceRows), wanted: await copiesWanted(tx) }
  })
  for (const { pack, vault, lengthBytes, copies } of packs) {
    const holders = copies.map((copy) => copy.node)
    const need = judgePack(holders, wanted.get(vault) ?? 0, standings)
    if (need !== 'fine' && need !== 'lost') queue.add(need, { pack, lengthBytes })
  }
  queue.scanned(packs.length < catalogueSliceRows ? undefined : packs.at(-1)?.pack)
  return queue.scanning
}

/** Looks at the most urgent packs and orders what can be done for them now. */
export async function planRepairs(context: ManagerContext, limit = repairLookMax): Promise<void> {
  const { repair, members } = context
  if (repair.planning || members.safeMode()) return
  repair.planning = true
  try {
    const taken = repair.queue.take(limit)
    if (taken.length === 0 && repair.jobs().length === 0) return repair.rest()
    try {
      await help(context, await lookAt(context, taken))
    } catch (error) {
      // Nobody else would notice them before the whole catalogue is gone through again.
      for (const pack of taken) repair.queue.add('last-copy', pack)
      throw error
    }
  } finally {
    repair.planning = false
  }
}

function lookAt(context: ManagerContext, taken: readonly QueuedPack[]): Promise<(PackLook | undefined)[]> {
  return context.catalogue.read(async (tx) => {
    const found: (PackLook | undefined)[] = []
    for (const { pack } of taken) found.push(await lookAtPack(tx, pack))
    return found
  })
}

async function help(context: ManagerContext, looks: readonly (PackLook | undefined)[]): Promise<void> {
  const { repair } = context
  const surplus: PackLook[] = []
  const mayTrim = mayDeleteCopies(context)
  let waitsFor = ''
  for (const look of looks) {
    if (look === undefined || repair.copying(look.pack.id)) continue
    const standings = context.members.standings()
    const need = judgePack(look.holders, look.vault.copies, standings)
    if (need === 'fine' || need === 'lost') continue
    if (need === 'surplus') {
      if (mayTrim && chooseSurplus(look.holders, look.vault.copies, standings) !== undefined) surplus.push(look)
      else putBack(context, need, look)
      continue
    }
    const outcome = await tryCopy(context, { look, need, standings })
    if (outcome === 'ordered') continue
    putBack(context, need, look)
    if (outcome !== 'busy') waitsFor = reasons[outcome]
  }
  await trimCopies(context, surplus)
  repair.waitsFor = waitsFor
}

function putBack(context: ManagerContext, need: Urgency, { pack }: PackLook): void {
  context.repair.queue.add(need, { pack: pack.id, lengthBytes: pack.lengthBytes })
}

interface Trial {
  readonly look: PackLook
  readonly need: Urgency
  readonly standings: Standings
}

const reasons: Readonly<Record<Exclude<CopyOutcome | 'later', 'ordered' | 'busy'>, string>> = {
  later: 'the next try of copies that failed',
  'no-source': 'a node that holds the only copies to come back',
  'no-target': 'a node with room that has no copy yet',
}

async function tryCopy(context: ManagerContext, { look, need, standings }: Trial): Promise<CopyOutcome | 'later'> {
  const { repair, clock } = context
  if (repair.attempts(look.pack.id).notBeforeMs > clock.monotonicMs()) return 'later'
  const kept = standingsOf(look.holders, standings).filter((node) => node.keeps)
  // Only a copy that ends the danger is worth its way.
  const taken = need === 'same-domain' ? new Set(kept.map((node) => node.domain)) : new Set<string>()
  const forbidden = [...standings.values()].filter((node) => taken.has(node.domain)).map((node) => node.node)
  return orderCopy(context, look, { standings, forbidden, move: false })
}
