import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Random } from '../core/random.ts'

const firstMs = 50
const mostMs = 2_000

export interface RetryOptions {
  readonly clock: Clock
  readonly random: Random
  /** How long to keep trying, in milliseconds; the last failure is thrown after it. */
  readonly retryFor: number
  readonly signal?: AbortSignal | undefined
  /** What is worth another try; default `unavailable` and `deadline-exceeded`. */
  readonly codes?: readonly ErrorCode[]
}

async function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await clock.sleep(ms, signal)
  } catch (error) {
    throw new TwofoldError('cancelled', 'cancelled', { cause: error })
  }
}

/** Calls `attempt` until it succeeds, fails for good, or time is up. Only for calls that may be repeated. */
export async function retrying<T>(attempt: (attempts: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, retryFor, signal, codes = ['unavailable', 'deadline-exceeded'] } = options
  const startMs = clock.monotonicMs()
  for (let attempts = 0; ; attempts++) {
    try {
      return await attempt(attempts)
    } catch (error) {
      if (!isTwofoldError(error, ...codes)) throw error
      const waitMs = Math.max(backoffMs(attempts, random, { firstMs, mostMs }), error.retryAfterMs ?? 0)
      if (clock.monotonicMs() - startMs + waitMs > retryFor) throw error
      await pause(clock, waitMs, signal)
    }
  }
}
