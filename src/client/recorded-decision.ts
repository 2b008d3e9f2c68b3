import type { Recorded } from '../core/admin-messages.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { witnessPatienceMs } from '../core/limits.ts'

export interface DecisionOptions {
  readonly clock: Clock
  /** What was decided, as the beginning of a sentence. */
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

/** Each heartbeat brings the log to a node, once a second. */
const recordedAgainMs = 250

/**
 * Asks again until enough nodes have a decision in their logs: only then nobody can forget it any more by restoring an
 * older copy of the catalogue, and people may be told that it is made.
 * @param ask gives the same request, which is carried out once
 * @throws TwofoldError `not-enough-nodes`
 */
export async function untilRecorded(ask: () => Promise<Recorded>, options: DecisionOptions): Promise<void> {
  const { clock, what, signal } = options
  const untilMs = clock.monotonicMs() + witnessPatienceMs
  for (;;) {
    const { recordedBy, wanted } = await ask()
    if (recordedBy >= wanted) return
    if (clock.monotonicMs() >= untilMs) {
      throw new TwofoldError(
        'not-enough-nodes',
        `${what}, but only ${recordedBy} of ${wanted} nodes have recorded that, so it might be forgotten if the ` +
          'manager had to be restored now; do it again when the nodes are up',
      )
    }
    await clock.sleep(recordedAgainMs, signal)
  }
}
