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
