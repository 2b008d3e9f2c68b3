import { tuiRateWindowMs } from '../core/client-limits.ts'

/** How much was done by when. */
export interface RateSample {
  readonly seconds: number
  readonly bytes: number
}

/** The samples of the last seconds, with one before them. */
export function withSample(samples: readonly RateSample[], sample: RateSample): readonly RateSample[] {
  const from = samples.findLastIndex(({ seconds }) => sample.seconds - seconds >= tuiRateWindowMs / 1000)
  return [...samples.slice(Math.max(0, from)), sample]
}

/** Bytes per second between the first and the last of them. */
export function rateOf(samples: readonly RateSample[]): number {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return 0
  if (last.seconds > first.seconds) return (last.bytes - first.bytes) / (last.seconds - first.seconds)
  return last.seconds > 0 ? last.bytes / last.seconds : 0
}
