import { scrubRateMax, scrubRateMin } from '../core/limits.ts'

/**
 * How fast to read so that every pack is checked within the period, in bytes a second. A pack is due when half of the
 * period has passed since its last proof; at this rate all packs take a quarter of it. So one that came just too late
 * for a pass is read before the period is over, and there is as much time again for uploads to go first.
 */
export function scrubRate(usedBytes: number, periodMs: number): number {
  const wanted = (usedBytes / (periodMs / 4)) * 1000
  return Math.min(scrubRateMax, Math.max(scrubRateMin, wanted))
}

/** When a pack is due for its next check, in milliseconds of the manager's time. */
export function scrubDueMs(provenAtMs: number, periodMs: number): number {
  return provenAtMs === 0 ? 0 : provenAtMs + periodMs / 2
}
