import type { BackoffOptions } from './backoff.ts'
import { backoffMs, roomWaitMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { isTwofoldError } from './errors.ts'
import { managerOutageMs } from './limits.ts'
import type { Random } from './random.ts'

export interface Persistence {
  readonly clock: Clock
  readonly random: Random
  readonly signal?: AbortSignal | undefined
  /** How long after the first failure to go on trying, in milliseconds. */
  readonly patienceMs?: number
}

const backoff: BackoffOptions = { firstMs: 100, mostMs: 2000 }

/**
 * Repeats an idempotent call while the other side cannot be reached or has no room, so that a manager that restarts or
 * has much to do only delays its clients. Who says that there is no room is there, so that has no end.
 * @throws the last failure when the patience is over, any other failure at once.
 */
export async function persistently<T>(work: () => Promise<T>, options: Persistence): Promise<T> {
  const { clock, random, signal, patienceMs = managerOutageMs } = options
  let firstFailureMs: number | undefined
  let failures = 0
  let refusals = 0
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (isTwofoldError(error, 'overloaded')) {
        firstFailureMs = undefined
        failures = 0
        await clock.sleep(roomWaitMs(error.retryAfterMs, refusals++, random), signal)
        continue
      }
      if (!isTwofoldError(error, 'unavailable', 'deadline-exceeded')) throw error
      refusals = 0
      firstFailureMs ??= clock.monotonicMs()
      const waitMs = error.retryAfterMs ?? backoffMs(failures++, random, backoff)
      if (clock.monotonicMs() + waitMs - firstFailureMs > patienceMs) throw error
      await clock.sleep(waitMs, signal)
    }
  }
}
