import type { Clock } from '../core/clock.ts'
import type { NodeId } from '../core/ids.ts'
import { heldNameRetryMs } from './heartbeat-worker.ts'

export interface RunningNode {
  readonly address: string
  readonly nodeId: NodeId
  /** Resolves when the node was stopped; rejects when it cannot go on. */
  readonly ended: Promise<void>
  /** May be called more than once. */
  stop(): Promise<void>
}

interface Reopening {
  readonly clock: Clock
  readonly reopen: () => Promise<RunningNode>
}

/**
 * A node that ends only for good: while another process serves its store it closes it, waits, and opens it again. What
 * it read before may be out of date then, for the other process may have changed it.
 */
export function untilFree(first: RunningNode, { clock, reopen }: Reopening): RunningNode {
  const { address, nodeId } = first
  const stopped = new AbortController()
  let current = first
  const untilItEnds = async (): Promise<void> => {
    for (;;) {
      try {
        return await current.ended
      } catch (error) {
        const waitMs = heldNameRetryMs(error)
        if (waitMs === undefined) throw error
        await current.stop()
        await clock.sleep(waitMs, stopped.signal).catch(() => undefined)
        if (stopped.signal.aborted) return
        current = await reopen()
        if (stopped.signal.aborted) await current.stop()
      }
    }
  }
  const ended = untilItEnds()
  const stop = async (): Promise<void> => {
    stopped.abort()
    await current.stop()
    await ended.catch(() => undefined)
  }
  return { address, nodeId, ended, stop }
}
