import type { BackoffOptions } from '../core/backoff.ts'
import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { isTwofoldError } from '../core/errors.ts'
import { managerOutageMs } from '../core/limits.ts'
import type { Random } from '../core/random.ts'

export interface Persistence {
  readonly clock: Clock
  readonly random: Random
  readonly signal?: AbortSignal | undefined
  /** How long after the first failure to go on trying, in milliseconds. */
  readonly patienceMs?: number
}

const backoff: BackoffOptions = { firstMs: 100, mostMs: 2000 }

/**
 * Repeats an idempotent call while the other side cannot be reached or asks to wait, so that a manager that restarts
 * only delays its clients.
 * @throws the last failure when the patience is over, any other failure at once.
 */
export async function persistently<T>(work: () => Promise<T>, options: Persistence): Promise<T> {
  const { clock, random, signal, patienceMs = managerOutageMs } = options
  let firstFailureMs: number | undefined
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (!isTwofoldError(error, 'unavailable', 'deadline-exceeded', 'overloaded')) throw error
      firstFailureMs ??= clock.monotonicMs()
      const waitMs = error.retryAfterMs ?? backoffMs(attempt, random, backoff)
      if (clock.monotonicMs() + waitMs - firstFailureMs > patienceMs) throw error
      await clock.sleep(waitMs, signal)
    }
  }
}
