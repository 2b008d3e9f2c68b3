/** RFC 3339 with nanoseconds, in UTC, as restic writes times. */
export function jsonTimeNs(timeNs: bigint): string {
  const second = 1_000_000_000n
  const nanoseconds = ((timeNs % second) + second) % second
  const ms = Number((timeNs - nanoseconds) / 1_000_000n)
  const limit = 8.64e15
  const text = new Date(Math.max(-limit, Math.min(limit, ms))).toISOString()
  return `${text.slice(0, -5)}.${String(nanoseconds).padStart(9, '0')}Z`
}

export function jsonTimeMs(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
