import { drainCheckFewMs, drainCheckMs } from '../core/limits.ts'
import type { ManagerContext } from './context.ts'
import { heldCopies } from './node-copies.ts'
import { isCertain } from './node-standing.ts'
import type { NodeStanding, Standings } from './node-standing.ts'

/**
 * One bounded piece of watching over nodes that are being emptied: repair copies what they have; a node is drained once
 * nothing is needed of it, and a list of its packs that was made after that says so too. @returns whether there is more
 * to do now
 */
export async function drainStep(context: ManagerContext): Promise<boolean> {
  if (context.members.safeMode()) return false
  const standings = context.members.standings()
  let more = false
  for (const node of standings.values()) {
    if (context.members.byRow(node.node)?.admin !== 'draining' || node.state !== 'draining') continue
    if (await look(context, node, standings)) more = true
  }
  return more
}

async function look(context: ManagerContext, node: NodeStanding, standings: Standings): Promise<boolean> {
  const nowMs = context.clock.monotonicMs()
  const drain = context.drains.of(node.node, nowMs)
  const pauseMs = drain.few ? drainCheckFewMs : drainCheckMs
  if (drain.scan === undefined && nowMs - drain.checkedMs < pauseMs) return false
  const scan = (drain.scan ??= { after: 0, packs: 0, bytes: 0 })
  const slice = await neededOf(context, node.node, { after: scan.after, standings })
  scan.packs += slice.packs
  scan.bytes += slice.bytes
  if (slice.next !== undefined) {
    scan.after = slice.next
    return true
  }
  drain.scan = undefined
  drain.few = scan.after === 0
  drain.checkedMs = nowMs
  drain.leftPacks = scan.packs
  drain.leftBytes = scan.bytes
  drain.known = true
  drain.totalPacks = Math.max(drain.totalPacks, scan.packs)
  drain.totalBytes = Math.max(drain.totalBytes, scan.bytes)
  await conclude(context, node, nowMs)
  return false
}

interface Needed {
  readonly packs: number
  readonly bytes: number
  readonly next: number | undefined
}

/** Of a run of a node's copies those that are needed: without them a pack had fewer certain copies than wanted. */
async function neededOf(
  context: ManagerContext,
  node: number,
  { after, standings }: { readonly after: number; readonly standings: Standings },
): Promise<Needed> {
  return context.catalogue.read(async (tx) => {
    const { held, next } = await heldCopies(tx, node, { after, standings })
    const needed = held.filter(({ others, wanted }) => others.filter(isCertain).length < wanted)
    return { packs: needed.length, bytes: needed.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0), next }
  })
}

async function conclude(context: ManagerContext, node: NodeStanding, nowMs: number): Promise<void> {
  const { members, inventories, drains } = context
  const drain = drains.of(node.node, nowMs)
  // Packs of backups that run may still be committed there.
  if (drain.leftPacks > 0 || members.receiving(node.nodeId)) {
    drain.cleanMs = undefined
    return
  }
  if (drain.cleanMs === undefined) {
    drain.cleanMs = nowMs
    inventories.want(node.node)
    return
  }
  const { askedMs = -Infinity, takenMs = -Infinity } = inventories.times(node.node)
  if (!node.reported || askedMs < drain.cleanMs || takenMs < askedMs) return
  const row = await context.catalogue.write(async (tx) => {
    if ((await tx.nodes.find(node.nodeId))?.admin !== 'draining') return undefined
    await tx.operations.add({
      kind: 'drained',
      timeMs: context.clock.nowMs(),
      actor: 'manager',
      subject: node.ref.name,
      result: 'ok',
      detail: 'nothing is needed of it any more',
      snapshotId: '',
      durationMs: Math.round(nowMs - drain.sinceMs),
    })
    return tx.nodes.setAdmin(node.node, 'drained')
  })
  if (row !== undefined) members.registered(row)
  drains.forget(node.node)
}
