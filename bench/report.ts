import { renderTable } from '../src/cli/table.ts'
import type { Column } from '../src/cli/table.ts'
import type { Machine } from './measure/machine.ts'
import { medianOf, totalCpuSeconds } from './measure/measurement.ts'
import type { Measurement, Usage } from './measure/measurement.ts'
import type { Figures } from './series/figures.ts'
import type { Step } from './run-workload.ts'
import { targetRows } from './targets.ts'
import type { TargetRow } from './targets.ts'

/** One step of one program in all runs. */
export interface Result {
  readonly program: string
  readonly step: string
  readonly files: number
  readonly bytes: number
  /** The median of each figure by itself. */
  readonly median: Measurement
  readonly runs: readonly Measurement[]
  /** Wall time as a multiple of that of each raw limit of the same workload, by the limit's name. */
  readonly ratios: Readonly<Record<string, number>>
}

export interface WorkloadReport {
  readonly workload: string
  readonly description: string
  readonly results: readonly Result[]
  readonly targets: readonly TargetRow[]
}

/** What `--json` writes. Times in seconds, sizes in bytes. */
export interface Report {
  readonly machine: Machine
  readonly startedAt: string
  readonly options: { readonly scale: number; readonly seed: string; readonly runs: number }
  /** Versions of the other programs that are measured; none when they are not. */
  readonly peers: Readonly<Record<string, string>>
  readonly workloads: readonly WorkloadReport[]
  /** What a command costs that does next to nothing, where it was measured: milliseconds, and shares. */
  startUp?: Figures | undefined
}

const limits = 'raw'

/** Brings the same steps of all runs together, in the order in which they first came. */
export function summarize(steps: readonly Step[]): Result[] {
  const byName = Map.groupBy(steps, ({ program, step }) => `${program}\n${step}`)
  const results = [...byName.values()].map((same) => {
    const { program, step, size } = same[0] as Step
    const runs = same.map(({ measurement }) => measurement)
    return { program, step, ...size, median: medianOf(runs), runs }
  })
  const raw = results.filter(({ program }) => program === limits)
  return results.map((result) => ({
    ...result,
    ratios: Object.fromEntries(
      result.program === limits
        ? []
        : raw.map(({ step, median }) => [step, result.median.seconds / median.seconds] as const),
    ),
  }))
}

/** On what machine, with what, and when. */
export function headLines({ machine, options, startedAt, peers }: Report): string[] {
  const { cpu, cores, memoryBytes, kernel, node, directory, fileSystem, load } = machine
  return [
    `${cpu}, ${cores} cores, ${megabytes(memoryBytes / 1000)} GB memory, ${kernel}, Node ${node}`,
    `data in ${directory} (${fileSystem}), page cache warm; load average at the start ${load.toFixed(2)}`,
    `scale ${options.scale}, seed ${options.seed}, ${options.runs} run(s), medians; ${startedAt}`,
    ...(Object.keys(peers).length === 0 ? ['no other programs are measured: PEERS=1 does'] : Object.values(peers)),
  ]
}

/** What was measured of a workload in all runs, and what became of its targets. */
export function reportWorkload(
  workload: { name: string; description: string },
  steps: readonly Step[],
): WorkloadReport {
  const { name, description } = workload
  const results = summarize(steps)
  return { workload: name, description, results, targets: targetRows(name, results) }
}

/** The tables of one workload: how fast it was, what it took, and whether that is what it should be. */
export function workloadLines({ workload, description, results, targets }: WorkloadReport): string[] {
  const first = results[0]
  const size = first === undefined ? '' : `: ${count(first.files)} files, ${megabytes(first.bytes)} MB`
  const tables = [speedTable(results), costTable(results), targetTable(targets)]
  return [`${workload}, ${description}${size}`, ...tables.flatMap((lines) => ['', ...lines])]
}

const left = (title: string): Column => ({ title })
const right = (title: string): Column => ({ title, align: 'right' })

function speedTable(results: readonly Result[]): string[] {
  const limitNames = results.filter(({ program }) => program === limits).map(({ step }) => step)
  const columns = [
    ...[left('program'), left('step'), right('s'), right('least–most')],
    ...[right('MB/s'), right('files/s'), right('stored MB')],
    ...limitNames.map((name) => right(`÷ ${name}`)),
  ]
  const rows = results.map(({ program, step, files, bytes, median, runs, ratios }) => {
    const seconds = runs.map((run) => run.seconds)
    return [
      ...[program, step, median.seconds.toFixed(2)],
      seconds.length === 1 ? '' : `${Math.min(...seconds).toFixed(2)}–${Math.max(...seconds).toFixed(2)}`,
      ...[megabytes(bytes / median.seconds), count(files / median.seconds)],
      median.storedBytes === undefined ? '' : megabytes(median.storedBytes),
      ...limitNames.map((name) => ratios[name]?.toFixed(2) ?? ''),
    ]
  })
  return renderTable(columns, rows)
}

interface CostGroup {
  readonly title: string
  readonly text: (usage: Usage) => string
}

const costGroups: readonly CostGroup[] = [
  // After the column for all of them.
  { title: '', text: ({ cpuSeconds }) => cpuSeconds.toFixed(2) },
  {
    title: 'peak MB',
    text: ({ peakRssBytes }) => (peakRssBytes === undefined ? '' : megabytes(peakRssBytes, 0)),
  },
  { title: 'delay ms', text: ({ loopDelay }) => (loopDelay === undefined ? '' : loopDelay.p99.toFixed(0)) },
]

function costTable(results: readonly Result[]): string[] {
  const names = [...new Set(results.flatMap(({ median }) => Object.keys(median.processes)))].sort(byPlace)
  // A group has a column for each process of which it says anything.
  const groups = costGroups.map((group) => {
    const says = (name: string): boolean => results.some((result) => costOf(result, name, group) !== '')
    return { group, names: names.filter(says) }
  })
  const columns = groups.flatMap(({ group, names: shown }) =>
    shown.map((name, at) => right(at === 0 && group.title !== '' ? `${group.title}: ${name}` : name)),
  )
  const rows = results.map((result) => [
    ...[result.program, result.step, totalCpuSeconds(result.median).toFixed(2)],
    ...groups.flatMap(({ group, names: shown }) => shown.map((name) => costOf(result, name, group))),
  ])
  return renderTable([left('program'), left('step'), right('CPU s: all'), ...columns], rows)
}

function costOf({ median }: Result, name: string, { text }: CostGroup): string {
  const usage = median.processes[name]
  return usage === undefined ? '' : text(usage)
}

function targetTable(targets: readonly TargetRow[]): string[] {
  const rows = targets.map(({ target, figure, bound, reached }) => [
    ...[target, figure < 10 ? figure.toFixed(2) : figure.toFixed(0), bound],
    reached ? 'yes' : 'no',
  ])
  return renderTable([left('target'), right('figure'), left('bound'), left('reached')], rows)
}

/** Client, manager, the nodes, other servers: as it happens, the order of the alphabet. */
function byPlace(a: string, b: string): number {
  return a < b ? -1 : 1
}

/** In units of a million bytes. */
function megabytes(bytes: number, digits = 1): string {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: 'negative' } as const
  return (bytes / 1e6).toLocaleString('en-US', format)
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
