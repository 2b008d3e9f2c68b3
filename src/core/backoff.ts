import { roomRetryMostMs } from './limits.ts'
import type { Random } from './random.ts'

export interface BackoffOptions {
  readonly firstMs: number
  readonly mostMs: number
}

/** How long to wait before attempt `attempt + 1` (0 for the first): exponential with full jitter, in milliseconds. */
export function backoffMs(attempt: number, random: Random, options: BackoffOptions): number {
  const ceiling = Math.min(options.mostMs, options.firstMs * 2 ** Math.min(attempt, 30))
  return ceiling / 2 + random.fraction() * (ceiling / 2)
}

/**
 * How long somebody who was refused for lack of room waits, in milliseconds: at least as long as was asked for, with
 * jitter that grows, so that those who were refused together do not come back together.
 */
export function roomWaitMs(askedMs: number | undefined, attempt: number, random: Random): number {
  const leastMs = Math.min(roomRetryMostMs, askedMs ?? 500)
  return Math.min(roomRetryMostMs, leastMs * (1 + random.fraction() * 2 ** Math.min(attempt, 4)))
}
