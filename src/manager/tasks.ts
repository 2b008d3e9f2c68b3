import type { Task } from '../core/node-admin.ts'
import type { ManagerContext } from './context.ts'

/** What the manager does in the background to keep copies where they belong. */
export function listTasks(context: ManagerContext): Task[] {
  return [...repairTask(context), ...drainTasks(context), ...rebalanceTask(context)]
}

const safeMode = 'the nodes to report after the manager started'

function repairTask(context: ManagerContext): Task[] {
  const { repair, members, clock } = context
  const waiting = repair.queue.total(['last-copy', 'short', 'same-domain'])
  const jobs = repair.jobs().filter((job) => !job.move)
  const bytesRunning = jobs.reduce((sum, job) => sum + job.lengthBytes, 0)
  if (waiting.packs + jobs.length === 0) return []
  const { sinceMs, packs: packsDone, bytes: bytesDone } = repair.progress ?? { sinceMs: Infinity, packs: 0, bytes: 0 }
  return [
    {
      kind: 'repair',
      subject: '',
      packsDone,
      packsTotal: packsDone + waiting.packs + jobs.length,
      bytesDone,
      bytesTotal: bytesDone + waiting.bytes + bytesRunning,
      bytesPerSecond: rate(bytesDone, clock.monotonicMs() - sinceMs),
      running: jobs.length,
      waitsFor: members.safeMode() ? safeMode : jobs.length === 0 ? repair.waitsFor : '',
    },
  ]
}

function drainTasks(context: ManagerContext): Task[] {
  const { members, drains, repair, clock } = context
  const nowMs = clock.monotonicMs()
  return members
    .rows()
    .filter(({ admin }) => admin === 'draining')
    .map((row) => {
      const drain = drains.of(row.id, nowMs)
      const running = repair.sending(row.id)
      const state = members.state(row.ref.nodeId)
      const bytesDone = drain.totalBytes - drain.leftBytes
      const reasons = [
        members.safeMode() ? safeMode : '',
        state === 'draining' ? '' : `the node to come back: it is ${state}`,
        drain.known && drain.leftPacks === 0 ? 'the node to confirm that nothing is needed of it' : '',
        drain.leftPacks > 0 && running === 0 && repair.jobs().length === 0 ? repair.waitsFor : '',
      ]
      return {
        kind: 'drain' as const,
        subject: row.ref.name,
        packsDone: drain.totalPacks - drain.leftPacks,
        packsTotal: drain.totalPacks,
        bytesDone,
        bytesTotal: drain.totalBytes,
        bytesPerSecond: rate(bytesDone, nowMs - drain.sinceMs),
        running,
        waitsFor: reasons.find((reason) => reason !== '') ?? '',
      }
    })
}

function rebalanceTask(context: ManagerContext): Task[] {
  const { rebalance, repair, members, clock } = context
  if (!rebalance.running) return []
  const { bytesDone, packsDone, sinceMs } = rebalance
  const urgent = repair.queue.total(['last-copy', 'short']).packs > 0
  return [
    {
      kind: 'rebalance',
      subject: '',
      packsDone,
      packsTotal: packsDone + rebalance.moves.size,
      bytesDone,
      bytesTotal: Math.max(bytesDone, rebalance.bytesTotal),
      bytesPerSecond: rate(bytesDone, clock.monotonicMs() - sinceMs),
      running: repair.jobs().filter((job) => job.move).length,
      waitsFor: members.safeMode() ? safeMode : urgent ? 'repair' : '',
    },
  ]
}

function rate(bytes: number, elapsedMs: number): number {
  return elapsedMs > 0 ? Math.round((bytes * 1000) / elapsedMs) : 0
}
