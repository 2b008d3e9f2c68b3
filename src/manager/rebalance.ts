import { actorNameCharactersMax, inventorySliceRows, rebalanceTolerance, repairsPerNodeMax } from '../core/limits.ts'
import type { RebalanceOutlook, RebalanceRequest } from '../core/node-admin.ts'
import type { Catalogue } from './catalogue.ts'
import type { ManagerContext } from './context.ts'
import { orderCopy } from './copy-orders.ts'
import { isCertain } from './node-standing.ts'
import type { NodeStanding, Standings } from './node-standing.ts'
import { chooseMove, movableBytes } from './rebalance-plan.ts'
import { lookAtPack } from './repair-look.ts'
import type { PackLook } from './repair-look.ts'
import { domainsOf, standingsOf } from './repair-plan.ts'

const setting = 'rebalance'

export async function wasRebalancing(catalogue: Catalogue): Promise<boolean> {
  const value = await catalogue.read((tx) => tx.settings.get(setting))
  return value !== undefined && Buffer.from(value).toString() === '1'
}

/** Begins, ends or previews it. */
export async function rebalance(context: ManagerContext, request: RebalanceRequest): Promise<RebalanceOutlook> {
  const state = context.rebalance
  const outlook = movableBytes(loaded(context))
  const wanted = !request.stop
  if (!request.dryRun && state.running !== wanted) {
    context.lineage.requireWritable()
    await setRunning(context, wanted, { actor: request.actor, detail: wanted ? 'begun' : 'stopped' })
    state.sinceMs = context.clock.monotonicMs()
    state.bytesDone = 0
    state.packsDone = 0
    state.bytesTotal = outlook.bytes
  }
  return { running: state.running, ...outlook }
}

async function setRunning(
  context: ManagerContext,
  running: boolean,
  { actor, detail }: { readonly actor: string; readonly detail: string },
): Promise<void> {
  await context.catalogue.write(async (tx) => {
    await tx.settings.set(setting, Buffer.from(running ? '1' : '0'))
    await tx.operations.add({
      kind: 'rebalance',
      timeMs: context.clock.nowMs(),
      actor: actor.slice(0, actorNameCharactersMax),
      subject: 'cluster',
      result: 'ok',
      detail,
      snapshotId: '',
      durationMs: 0,
    })
  })
  context.rebalance.running = running
}

/** The nodes as they will be when everything that is on its way has arrived. */
function loaded(context: ManagerContext): Map<number, NodeStanding> {
  const standings = context.members.standings()
  for (const [node, standing] of standings) {
    const usedBytes = Math.max(0, standing.usedBytes + context.rebalance.pending(node))
    standings.set(node, { ...standing, usedBytes })
  }
  return standings
}

/**
 * Orders the next packs to be copied from the fullest node to the emptiest. That a pack then has a copy too many is
 * what trimming is for, which takes the one on the fullest node. Repair goes first.
 */
export async function rebalanceStep(context: ManagerContext): Promise<void> {
  const { rebalance: state, members, repair } = context
  if (!state.running || members.safeMode()) return
  await settleMoves(context)
  if (repair.queue.total(['last-copy', 'short']).packs > 0) return
  for (;;) {
    const standings = loaded(context)
    const move = chooseMove(standings, rebalanceTolerance)
    if (move === undefined) break
    const busy = [...state.moves.values()].filter(({ from }) => from === move.from.node).length
    if (busy >= repairsPerNodeMax) return
    const outcome = await moveOne(context, move, standings)
    if (outcome === 'wait') return
    if (outcome === 'none') break
  }
  if (state.moves.size === 0) await setRunning(context, false, { actor: 'manager', detail: 'done' })
}

/** Forgets moves that are over: a copy was given up for the new one, or that did not come to be. */
async function settleMoves(context: ManagerContext): Promise<void> {
  const { rebalance: state, repair } = context
  for (const [pack, { to, lengthBytes }] of state.moves) {
    if (repair.copying(pack)) continue
    const look = await context.catalogue.read((tx) => lookAtPack(tx, pack))
    const arrived = look?.holders.includes(to) ?? false
    const surplus = look !== undefined && (look.holders.length > look.vault.copies || look.dropping.length > 0)
    if (arrived && surplus) continue
    state.moves.delete(pack)
    if (!arrived) continue
    state.bytesDone += lengthBytes
    state.packsDone += 1
  }
}

interface Chosen {
  readonly from: NodeStanding
  readonly to: NodeStanding
}

/** Finds a pack of `from` that may be on `to` instead. */
async function moveOne(
  context: ManagerContext,
  { from, to }: Chosen,
  standings: Standings,
): Promise<'ordered' | 'wait' | 'none'> {
  const { rebalance: state, repair } = context
  const after = state.cursors.get(from.node) ?? 0
  const rows = await context.catalogue.read((tx) => tx.copies.ofNode(from.node, { after, limit: inventorySliceRows }))
  for (const { pack, lengthBytes } of rows) {
    state.cursors.set(from.node, pack)
    if (state.moves.has(pack) || repair.copying(pack)) continue
    const look = await context.catalogue.read((tx) => lookAtPack(tx, pack))
    if (look === undefined || !mayMove(look, { from, to }, standings)) continue
    const wish = { standings, forbidden: [], only: [to.node], from: from.node, move: true }
    if ((await orderCopy(context, look, wish)) !== 'ordered') {
      state.cursors.set(from.node, pack - 1)
      return 'wait'
    }
    state.moves.set(pack, { from: from.node, to: to.node, lengthBytes })
    return 'ordered'
  }
  state.cursors.delete(from.node)
  // From the beginning the next time; when there was nothing from there either, there is nothing.
  return after === 0 ? 'none' : 'wait'
}

/** Whether all copies are certain, and are on no fewer failure domains afterwards. */
function mayMove(look: PackLook, { from, to }: Chosen, standings: Standings): boolean {
  if (look.holders.includes(to.node) || look.dropping.length > 0) return false
  const before = standingsOf(look.holders, standings)
  if (before.length !== look.vault.copies || !before.every(isCertain)) return false
  const after = [...before.filter((node) => node.node !== from.node), to]
  return domainsOf(after) >= domainsOf(before)
}
