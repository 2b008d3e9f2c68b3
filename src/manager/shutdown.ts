import type { ShutdownRequest, ShutdownState } from '../core/node-admin.ts'
import type { NodeRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { once } from './once.ts'

/** Goes on with a shutdown as far as it can now; `now` does not wait for backups. */
export function stepShutdown(context: ManagerContext, now = false): void {
  const { shutdown, leases, orders, clock } = context
  if (shutdown.phase === 'draining' && (now || leases.size === 0)) {
    const nodes = reachable(context)
    for (const { id } of nodes) orders.give(id, { kind: 'stop' })
    shutdown.askNodes(new Map(nodes.map(({ id, ref }) => [id, ref.name])), clock.monotonicMs())
  }
  shutdown.step(clock.monotonicMs())
}

/** Nodes that can be told something: those that are silent stop with nobody's help. */
function reachable({ members }: ManagerContext): NodeRow[] {
  const there = ['up', 'draining', 'drained']
  return members
    .infos()
    .filter(({ state }) => there.includes(state))
    .flatMap(({ node }) => members.find(node.nodeId) ?? [])
}

/** Begins it, or with `cancel` ends it before the first node was told. */
export async function shutDown(context: ManagerContext, request: ShutdownRequest): Promise<ShutdownState> {
  const { shutdown } = context
  const { cancel, dryRun, now } = request
  if (dryRun) return shutdownState(context)
  let decided = false
  await once(context, { kind: cancel ? 'shutdown-cancel' : 'shutdown', request }, async (tx) => {
    const off = shutdown.phase === 'off'
    decided = true
    if (cancel) shutdown.cancel()
    if (cancel === off) return
    const timeMs = Math.round(context.clock.nowMs())
    const rest = { subject: 'the cluster', result: 'ok', detail: '', snapshotId: '', durationMs: 0 } as const
    await tx.operations.add({ kind: cancel ? 'shutdown-cancel' : 'shutdown', timeMs, actor: request.actor, ...rest })
  })
  // An old request that comes again decides nothing.
  if (decided && !cancel) shutdown.begin(context.clock.monotonicMs())
  if (decided) stepShutdown(context, now)
  return shutdownState(context)
}

export function shutdownState(context: ManagerContext): ShutdownState {
  const { shutdown, leases, members } = context
  const begun = shutdown.phase === 'nodes' || shutdown.phase === 'manager'
  const silent = members.infos().filter(({ state }) => ['joining', 'suspect', 'dead'].includes(state))
  return {
    phase: shutdown.phase,
    sessions: leases.size,
    nodes: begun ? shutdown.waitingFor : reachable(context).map((row) => row.ref.name),
    silent: silent.map(({ node }) => node.name),
  }
}
