import { totalCpuSeconds } from './measure/measurement.ts'
import type { Measurement, Usage } from './measure/measurement.ts'

/** What was measured of one step of one program: the median of all runs. */
export interface Measured {
  readonly program: string
  readonly step: string
  readonly median: Measurement
}

export interface TargetRow {
  readonly target: string
  readonly figure: number
  readonly bound: string
  readonly reached: boolean
}

type Figure = (results: readonly Measured[]) => number | undefined

interface Target {
  /** The workloads for which it is set; all unless given. */
  readonly on?: readonly string[]
  readonly name: string
  readonly figure: Figure
  readonly most?: number
  readonly least?: number
}

type Quantity = (measurement: Measurement) => number | undefined

const time: Quantity = ({ seconds }) => seconds
const cpu: Quantity = totalCpuSeconds
const stored: Quantity = ({ storedBytes }) => storedBytes

type Place = readonly [program: string, step: string]

/** The quantity at one place as a multiple of that at another. Undefined unless both are known. */
function ratio(quantity: Quantity, of: Place, by: Place): Figure {
  return (results) => {
    const [over, under] = [of, by].map(([program, step]) => {
      const found = results.find((result) => result.program === program && result.step === step)
      return found === undefined ? undefined : quantity(found.median)
    })
    return over === undefined || under === undefined || under === 0 ? undefined : over / under
  }
}

const against = (program: string, step: string, quantity = time): Figure =>
  ratio(quantity, ['twofold', step], [program, step])

/** The largest figure of these processes of Twofold in a step, or in any step. */
function worst(quantity: (usage: Usage) => number | undefined, processes: RegExp, step?: string): Figure {
  return (results) => {
    const steps = results.filter((result) => result.program === 'twofold' && (step ?? result.step) === result.step)
    const figures = steps.flatMap(({ median }) =>
      Object.entries(median.processes).flatMap(([name, usage]) => (processes.test(name) ? [quantity(usage)] : [])),
    )
    const known = figures.filter((figure) => figure !== undefined)
    return known.length === 0 ? undefined : Math.max(...known)
  }
}

const peakMegabytes = (usage: Usage): number | undefined =>
  usage.peakRssBytes === undefined ? undefined : usage.peakRssBytes / 1e6
const lateMs = (usage: Usage): number | undefined => usage.loopDelay?.p99

const first = 'first backup'
const second = 'second day'
const rsync = 'two rsyncs'

/** What Twofold is to reach on one machine, by workload. */
const targets: readonly Target[] = [
  { on: ['large', 'mixed'], name: 'first backup, time ÷ restic', figure: against('restic', first), most: 0.33 },
  { on: ['small'], name: 'first backup, time ÷ restic', figure: against('restic', first), most: 0.5 },
  { on: ['large'], name: 'first backup, time ÷ two rsyncs', figure: against(rsync, first), most: 1.6 },
  { on: ['mixed'], name: 'first backup, time ÷ two rsyncs', figure: against(rsync, first), most: 1.3 },
  { on: ['small'], name: 'first backup, time ÷ two rsyncs', figure: against(rsync, first), most: 0.8 },
  {
    on: ['large'],
    name: 'first backup, time of the pipeline ÷ time',
    figure: ratio(time, ['raw', 'pipeline'], ['twofold', first]),
    least: 0.8,
  },
  {
    on: ['large'],
    name: 'first backup, speed with 2 copies ÷ with 1 copy',
    figure: ratio(time, ['twofold 1 copy', first], ['twofold', first]),
    least: 0.75,
  },
  { on: ['large'], name: 'first backup, CPU ÷ restic', figure: against('restic', first, cpu), most: 0.35 },
  { on: ['mixed'], name: 'first backup, CPU ÷ restic', figure: against('restic', first, cpu), most: 0.4 },
  { on: ['small'], name: 'first backup, CPU ÷ restic', figure: against('restic', first, cpu), most: 0.6 },
  { on: ['mixed'], name: 'first backup, stored ÷ restic', figure: against('restic', first, stored), most: 1.02 },
  { on: ['small'], name: 'nothing changed, time ÷ restic', figure: against('restic', 'nothing changed'), most: 0.25 },
  { on: ['large', 'small'], name: 'second day, time ÷ restic', figure: against('restic', second), most: 0.4 },
  { on: ['mixed'], name: 'second day, time ÷ restic', figure: against('restic', second), most: 0.6 },
  { name: 'second day, stored ÷ restic', figure: against('restic', second, stored), most: 1.1 },
  { name: 'full restore, time ÷ restic', figure: against('restic', 'full restore'), most: 0.5 },
  { name: 'full restore, time ÷ rsync', figure: against(rsync, 'full restore'), most: 1.3 },
  { name: 'first backup, peak MB of the client', figure: worst(peakMegabytes, /^client$/, first), most: 200 },
  { name: 'first backup, peak MB of a node', figure: worst(peakMegabytes, /^n\d+$/, first), most: 150 },
  { name: 'first backup, peak MB of the manager', figure: worst(peakMegabytes, /^manager$/, first), most: 150 },
  { name: 'any step, p99 of the servers’ event-loop delay, ms', figure: worst(lateMs, /^(manager|n\d+)$/), most: 50 },
]

/** What became of the targets of a workload. One whose figures were not all measured is left out. */
export function targetRows(workload: string, results: readonly Measured[]): TargetRow[] {
  return targets
    .filter(({ on }) => on === undefined || on.includes(workload))
    .flatMap(({ name, figure, most = Infinity, least = -Infinity }) => {
      const is = figure(results)
      if (is === undefined) return []
      const bound = most === Infinity ? `≥ ${least}` : `≤ ${most}`
      return [{ target: name, figure: is, bound, reached: is <= most && is >= least }]
    })
}
