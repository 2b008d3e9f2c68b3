/** What one process spent on a measured step. */
export interface Usage {
  /** User and system. */
  readonly cpuSeconds: number
  /** Undefined where it cannot be told. */
  readonly peakRssBytes: number | undefined
  /** By how much its event loop was late, where that is measured. */
  readonly loopDelay?: LoopDelay
}

/** In milliseconds. */
export interface LoopDelay {
  readonly p99: number
  readonly most: number
}

/** One measured step. */
export interface Measurement {
  /** Wall time. */
  readonly seconds: number
  /** By how much what is stored grew, counted once however many copies are kept; undefined for what stores nothing. */
  readonly storedBytes: number | undefined
  /** By name: `client`, and where there are servers `manager`, `n1`, …, or `server`. */
  readonly processes: Readonly<Record<string, Usage>>
}

/** The middle one, or the mean of the two in the middle; undefined of nothing, and when any value is undefined. */
export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  if (sorted.length < values.length) return undefined
  const low = sorted[Math.ceil(sorted.length / 2) - 1]
  const high = sorted[Math.floor(sorted.length / 2)]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

/** The median of each figure by itself. @param runs of the same step, at least one */
export function medianOf(runs: readonly Measurement[]): Measurement {
  const processes: Record<string, Usage> = {}
  for (const name of Object.keys(runs[0]?.processes ?? {})) {
    processes[name] = {
      cpuSeconds: median(runs.map((run) => run.processes[name]?.cpuSeconds)) ?? Number.NaN,
      peakRssBytes: median(runs.map((run) => run.processes[name]?.peakRssBytes)),
      ...medianDelay(runs.map((run) => run.processes[name]?.loopDelay)),
    }
  }
  return {
    seconds: median(runs.map(({ seconds }) => seconds)) ?? Number.NaN,
    storedBytes: median(runs.map(({ storedBytes }) => storedBytes)),
    processes,
  }
}

function medianDelay(delays: readonly (LoopDelay | undefined)[]): { loopDelay?: LoopDelay } {
  const p99 = median(delays.map((delay) => delay?.p99))
  const most = median(delays.map((delay) => delay?.most))
  return p99 === undefined || most === undefined ? {} : { loopDelay: { p99, most } }
}

/** Of all processes together. */
export function totalCpuSeconds({ processes }: Measurement): number {
  return Object.values(processes).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
}
