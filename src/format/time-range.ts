const int64Max = 2n ** 63n - 1n

/** The nearest time that 64 bits can hold, in nanoseconds: file systems know years after 2262. */
export function clampTimeNs(timeNs: bigint): bigint {
  if (timeNs > int64Max) return int64Max
  return timeNs < -int64Max ? -int64Max : timeNs
}
