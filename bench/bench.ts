/** `make bench`: measures Twofold on this machine. See README.md; `node bench/bench.ts --help` lists the options. */
import { mkdtempSync, realpathSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { manyFiles, remove } from './discarded.ts'
import { describeMachine } from './measure/machine.ts'
import { peerVersions } from './programs/peers.ts'
import { headLines, reportWorkload, workloadLines } from './report.ts'
import type { Report, WorkloadReport } from './report.ts'
import { runWorkload } from './run-workload.ts'
import type { Step } from './run-workload.ts'
import type { Row } from './series/figures.ts'
import { startUpSeries } from './series/start-up.ts'
import { seriesLines } from './series/table.ts'
import { workloads } from './workloads/workload.ts'
import type { Workload } from './workloads/workload.ts'

interface Options {
  readonly workload: readonly Workload[]
  readonly scale: number
  readonly runs: number
  readonly seed: string
  readonly peers: boolean
  /** A file; true for stdout. */
  readonly json?: string | true
}

/**
 * How often the data lies on the disk at most: the source, limits, what each program stores and restores, and room.
 * Where there are many files all of that stays there until the end.
 */
const foldersAlone = 10
const foldersWithPeers = 15
const blockBytes = 4096

function parseWorkloads(text: string): Workload[] {
  return text.split(',').map((name) => {
    const known = workloads.find((workload) => workload.name === name)
    if (known === undefined) throw new InvalidArgumentError(`There is ${workloads.map((one) => one.name).join(', ')}.`)
    return known
  })
}

function parsePositive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

function parseRuns(text: string): number {
  const runs = parsePositive(text)
  if (!Number.isInteger(runs)) throw new InvalidArgumentError('It must be a whole number.')
  return runs
}

function readOptions(): Options {
  return new Command('bench')
    .description('Measures Twofold on this machine, beside what the machine can do at most and beside other programs.')
    .option(
      '--workload <names>',
      `of ${workloads.map(({ name }) => name).join(', ')}; all unless given`,
      parseWorkloads,
    )
    .option('--scale <factor>', 'how much data: 0.1 is a tenth', parsePositive, 1)
    .option('--runs <count>', 'how often; the median of each figure is shown', parseRuns, 5)
    .option('--seed <text>', 'what the data is made from', 'twofold')
    .option('--peers', 'measure restic and rsync beside it, which must be installed', false)
    .option('--json [file]', 'write everything as JSON to a file, or to stdout')
    .parse()
    .opts<Options>()
}

/** Measures and prints. People read stdout, unless that is for JSON. */
class Bench {
  readonly #options: Options
  readonly #directory: string
  readonly #signal: AbortSignal
  readonly #human: NodeJS.WriteStream

  constructor(options: Options, directory: string, signal: AbortSignal) {
    this.#options = options
    this.#directory = directory
    this.#signal = signal
    this.#human = options.json === true ? process.stderr : process.stdout
  }

  async run(): Promise<void> {
    const { scale, runs, seed, json, peers, workload: chosen = workloads } = this.#options
    const versions = peers ? peerVersions() : {}
    this.#checkSpace(chosen)
    const reports: WorkloadReport[] = []
    const report: Report = {
      machine: describeMachine(this.#directory),
      startedAt: new Date().toISOString(),
      options: { scale, seed, runs },
      peers: versions,
      workloads: reports,
    }
    this.#say(...headLines(report))
    for (const workload of chosen) {
      const measured = await this.#measure(workload)
      reports.push(measured)
      this.#say('', ...workloadLines(measured))
    }
    // Whoever names workloads has time for those only.
    if (this.#options.workload === undefined) await this.#measureStartUp(report)
    const text = `${JSON.stringify(report, undefined, 2)}\n`
    if (json === true) process.stdout.write(text)
    else if (json !== undefined) writeFileSync(json, text)
  }

  async #measure(workload: Workload): Promise<WorkloadReport> {
    const { scale, runs, seed, peers } = this.#options
    const steps: Step[] = []
    await runWorkload(workload, {
      ...{ scale, seed, runs, peers, directory: this.#directory, signal: this.#signal },
      onStep: (step) => {
        steps.push(step)
        const seconds = step.measurement.seconds.toFixed(2)
        this.#note(`${workload.name} ${step.run}/${runs}: ${step.program}, ${step.step}: ${seconds} s`)
      },
    })
    return reportWorkload(workload, steps)
  }

  async #measureStartUp(report: Report): Promise<void> {
    const { description, xTitle, columns } = startUpSeries
    const note = (text: string): void => this.#note(text)
    const rows: Row[] = []
    for await (const row of startUpSeries.run({
      directory: this.#directory,
      max: Infinity,
      signal: this.#signal,
      note,
    })) {
      rows.push(row)
    }
    report.startUp = rows[0]?.figures
    this.#say('', `start-up: ${description}`, '', ...seriesLines(xTitle, columns, rows))
  }

  #checkSpace(chosen: readonly Workload[]): void {
    const { scale, seed, runs, peers } = this.#options
    const folders = peers ? foldersWithPeers : foldersAlone
    const needed = chosen.map((workload) => {
      const files = workload.plan(scale, seed)
      const kept = files.length < manyFiles ? folders : folders * runs
      const bytes = files.reduce((sum, { size }) => sum + Math.ceil(size / blockBytes) * blockBytes, 0)
      return { bytes: kept * bytes, files: kept * files.length }
    })
    const bytesNeeded = Math.max(...needed.map(({ bytes }) => bytes))
    const filesNeeded = Math.max(...needed.map(({ files }) => files))
    const { bavail, bsize, files: inodes, ffree } = statfsSync(this.#directory)
    // A file system that makes inodes as it needs them says that it has none.
    if (bavail * bsize < bytesNeeded || (inodes > 0 && ffree < filesNeeded)) {
      const room = `${Math.ceil(bytesNeeded / 1e6)} MB in ${filesNeeded} files`
      throw new Error(`${this.#directory} has no room for ${room}: set TMPDIR, or a smaller --scale`)
    }
  }

  #say(...lines: readonly string[]): void {
    this.#human.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** Progress, which nobody wants in a file. */
  #note(line: string): void {
    process.stderr.write(`  ${line}\n`)
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function main(): Promise<void> {
  const options = readOptions()
  if (process.platform !== 'linux') {
    process.stderr.write('it reads processor time and memory from /proc: it runs on Linux only\n')
    process.exitCode = 1
    return
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  }
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'twofold-bench-')))
  try {
    await new Bench(options, directory, stop.signal).run()
  } catch (error) {
    const stopped = stop.signal.aborted
    process.stderr.write(`${describe(stopped ? stop.signal.reason : error)}\n`)
    process.exitCode = stopped ? 130 : 1
  } finally {
    remove(directory)
  }
}

await main()
