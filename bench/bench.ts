/** `make bench`: measures Twofold on this machine. See README.md; `node bench/bench.ts --help` lists the options. */
import { mkdtempSync, realpathSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { manyFiles, remove } from './discarded.ts'
import { describeMachine } from './measure/machine.ts'
import { isInstalled, peerNames, versionOf } from './programs/peers.ts'
import type { PeerName } from './programs/peers.ts'
import { headLines, summarize, workloadLines } from './report.ts'
import type { Report, WorkloadReport } from './report.ts'
import { runWorkload } from './run-workload.ts'
import type { Step } from './run-workload.ts'
import { workloads } from './workloads/workload.ts'
import type { Workload } from './workloads/workload.ts'

interface Options {
  readonly workload: readonly Workload[]
  readonly scale: number
  readonly runs: number
  readonly seed: string
  /** A file; true for stdout. */
  readonly json?: string | true
}

/** Source, two copies of each of Twofold and the raw limit, one of each peer, what is restored, and room. */
const spaceFactor = 8
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
    .option('--runs <count>', 'how often; the median of each figure is shown', parseRuns, 3)
    .option('--seed <text>', 'what the data is made from', 'twofold')
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
    const { scale, runs, seed, json, workload: chosen = workloads } = this.#options
    this.#checkSpace(chosen)
    const installed = peerNames.filter(isInstalled)
    const reports: WorkloadReport[] = []
    const report: Report = {
      machine: describeMachine(this.#directory),
      startedAt: new Date().toISOString(),
      options: { scale, seed, runs },
      peers: Object.fromEntries(installed.map((name) => [name, versionOf(name)])),
      notInstalled: peerNames.filter((name) => !installed.includes(name)),
      workloads: reports,
    }
    this.#say(...headLines(report))
    for (const workload of chosen) {
      const measured = await this.#measure(workload, installed)
      reports.push(measured)
      this.#say('', ...workloadLines(measured))
    }
    const text = `${JSON.stringify(report, undefined, 2)}\n`
    if (json === true) process.stdout.write(text)
    else if (json !== undefined) writeFileSync(json, text)
  }

  async #measure(workload: Workload, peers: readonly PeerName[]): Promise<WorkloadReport> {
    const { scale, runs, seed } = this.#options
    const steps: Step[] = []
    await runWorkload(workload, {
      ...{ scale, seed, runs, peers, directory: this.#directory, signal: this.#signal },
      onStep: (step, run) => {
        steps.push(step)
        const seconds = step.measurement.seconds.toFixed(2)
        this.#note(`${workload.name} ${run}/${runs}: ${step.program}, ${step.step}: ${seconds} s`)
      },
    })
    const { name, description } = workload
    return { workload: name, description, results: summarize(steps) }
  }

  #checkSpace(chosen: readonly Workload[]): void {
    const { scale, seed, runs } = this.#options
    const sizes = chosen.map((workload) => {
      const files = workload.plan(scale, seed)
      const bytes = files.reduce((sum, { size }) => sum + Math.ceil(size / blockBytes) * blockBytes, 0)
      return bytes * (files.length < manyFiles ? 1 : runs)
    })
    const needed = Math.max(...sizes) * spaceFactor
    const { bavail, bsize } = statfsSync(this.#directory)
    if (bavail * bsize < needed) {
      throw new Error(
        `${this.#directory} has no room for ${Math.ceil(needed / 1e6)} MB: set TMPDIR, or a smaller --scale`,
      )
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
