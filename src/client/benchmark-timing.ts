import type { Clock } from '../core/clock.ts'
import { quantile } from '../core/quantile.ts'

/** How long a measurement may take, and who may end it. */
export interface Pace {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly seconds: number
}

export interface Rate {
  readonly bytes: number
  readonly seconds: number
  readonly bytesPerSecond: number
}

export interface RoundTrip {
  readonly calls: number
  readonly medianMs: number
  readonly p99Ms: number
}

/** Enough for a p99 that is not the slowest call. */
const callsMax = 500
/** A clock that has not moved must not make a rate infinite. */
const secondsLeast = 1e-6

export function rateOf(bytes: number, elapsedMs: number): Rate {
  const seconds = Math.max(secondsLeast, elapsedMs / 1000)
  return { bytes, seconds, bytesPerSecond: bytes / seconds }
}

/**
 * Repeats `step`, which answers how many bytes it did, until the time is over or `bytesMax` are done; at least once.
 * @throws the signal's reason, and what `step` throws
 */
export async function measureRate(
  { clock, signal, seconds }: Pace,
  step: () => number | Promise<number>,
  bytesMax = Infinity,
): Promise<Rate> {
  const startMs = clock.monotonicMs()
  let bytes = 0
  for (;;) {
    signal.throwIfAborted()
    bytes += await step()
    const elapsedMs = clock.monotonicMs() - startMs
    if (elapsedMs >= seconds * 1000 || bytes >= bytesMax) return rateOf(bytes, elapsedMs)
    // Work that never waits would not let an interruption through.
    await clock.yield()
  }
}

/** Times calls one after the other. The first, which may have to connect, does not count. */
export async function measureRoundTrip(
  { clock, signal, seconds }: Pace,
  call: () => Promise<unknown>,
): Promise<RoundTrip> {
  await call()
  const times: number[] = []
  const startMs = clock.monotonicMs()
  let endMs = startMs
  do {
    signal.throwIfAborted()
    const beganMs = clock.monotonicMs()
    await call()
    endMs = clock.monotonicMs()
    times.push(endMs - beganMs)
  } while (times.length < callsMax && endMs - startMs < seconds * 1000)
  return { calls: times.length, medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
}
