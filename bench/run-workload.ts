import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { TreeComparison } from './compare-trees.ts'
import { Discarded } from './discarded.ts'
import type { Measurement } from './measure/measurement.ts'
import type { BackupProgram } from './programs/backup-program.ts'
import { startPeer } from './programs/peers.ts'
import type { PeerName } from './programs/peers.ts'
import { measureRawCopy } from './programs/raw-copy.ts'
import { measureRawStream } from './programs/raw-stream.ts'
import { Twofold } from './programs/twofold.ts'
import { planSecondDay, sizeAfter } from './workloads/second-day.ts'
import type { Change, FolderSize } from './workloads/second-day.ts'
import { SourceFolder } from './workloads/source-folder.ts'
import type { FileSpec, Workload } from './workloads/workload.ts'

/** What was measured of one step of one program in one run. */
export interface Step {
  readonly program: string
  readonly step: string
  /** Of the folder at that time. */
  readonly size: FolderSize
  readonly measurement: Measurement
}

export interface WorkloadOptions {
  readonly scale: number
  readonly seed: string
  /** How often the programs do it all, each time from an empty store. */
  readonly runs: number
  /** Exists; whatever is written goes below it. */
  readonly directory: string
  readonly peers: readonly PeerName[]
  readonly signal: AbortSignal
  /** Is told of every step when it is done, and in which run that was, from 1 on. */
  readonly onStep: (step: Step, run: number) => void
}

/** A limit that took longer is measured in the first run only: the programs are what the time is for. */
const slowSeconds = 20

/**
 * Makes the data of a workload and, as often as asked for, measures the machine's limits with it and takes every
 * program through its two days.
 *
 * @throws when a program fails or restores something else than it saved
 */
export async function runWorkload(workload: Workload, options: WorkloadOptions): Promise<void> {
  const { scale, seed, runs, directory, signal } = options
  const files = workload.plan(scale, seed)
  const changes = planSecondDay(files, seed)
  const source = new SourceFolder(join(directory, 'source'), seed)
  await source.write(files, signal)
  const discarded = new Discarded(join(directory, `discarded-${workload.name}`), files.length)
  const slow = new Set<string>()
  for (let number = 1; number <= runs; number++) {
    const run = new Run({ ...options, directory: join(directory, 'run'), discarded }, number)
    try {
      await run.measureLimits(source.path, sizeAfter(files, []), slow)
      await run.start()
      await run.twoDays(source, files, changes)
    } finally {
      await run.close()
    }
    source.undo(changes)
  }
  discarded.add(source.path)
}

interface RunOptions extends WorkloadOptions {
  readonly discarded: Discarded
}

/** All programs with the same folder, in the same order, at the same time. */
class Run {
  readonly #options: RunOptions
  readonly #number: number
  readonly #programs: BackupProgram[] = []

  /** @param options with a directory that does not exist yet */
  constructor(options: RunOptions, number: number) {
    mkdirSync(options.directory)
    this.#options = options
    this.#number = number
  }

  /** Measures what the machine can do at most with the same data, without those of `slow`, and adds to them. */
  async measureLimits(source: string, size: FolderSize, slow: Set<string>): Promise<void> {
    const { directory, signal, discarded } = this.#options
    const limits: Record<string, (below: string) => Promise<Measurement>> = {
      'cp + fsync twice': (below) => measureRawCopy(source, below, signal),
      'gRPC two hops': (below) => measureRawStream(size.bytes, below, signal),
    }
    const below = join(directory, 'limit')
    for (const [step, work] of Object.entries(limits).filter(([name]) => !slow.has(name))) {
      const { seconds } = await this.#measure({ program: 'raw', step, size }, () => work(below))
      if (seconds > slowSeconds) slow.add(step)
      discarded.add(below)
    }
  }

  /** Starts every program with an empty store. */
  async start(): Promise<void> {
    const { directory, signal, peers } = this.#options
    this.#programs.push(await Twofold.start(join(directory, 'cluster'), signal))
    for (const name of peers) this.#programs.push(startPeer(name, join(directory, name), signal))
  }

  async twoDays(source: SourceFolder, files: readonly FileSpec[], changes: readonly Change[]): Promise<void> {
    const firstDay = sizeAfter(files, [])
    await this.#backup('first backup', source.path, firstDay)
    await this.#backup('nothing changed', source.path, firstDay)
    source.change(changes)
    const secondDay = sizeAfter(files, changes)
    await this.#backup('second day', source.path, secondDay)
    for (const program of this.#programs) await this.#restore(program, source.path, secondDay)
  }

  /** Ends all processes and removes everything they stored. */
  async close(): Promise<void> {
    for (const program of this.#programs) await program.close()
    this.#options.discarded.add(this.#options.directory)
  }

  async #backup(step: string, source: string, size: FolderSize): Promise<void> {
    for (const program of this.#programs) {
      await this.#measure({ program: program.name, step, size }, () => program.backup(source))
    }
  }

  async #restore(program: BackupProgram, source: string, size: FolderSize): Promise<void> {
    const target = join(this.#options.directory, 'restored')
    const step = { program: program.name, step: 'full restore', size }
    await this.#measure(step, () => program.restore(target))
    const { differences, files, bytes } = TreeComparison.compare(source, program.restoredPath(source, target))
    if (differences.length > 0) {
      throw new Error(`${program.name} restored something else than it saved:\n${differences.join('\n')}`)
    }
    if (files !== size.files || bytes !== size.bytes) {
      throw new Error(`the folder has ${files} files of ${bytes} bytes instead of ${JSON.stringify(size)}`)
    }
    this.#options.discarded.add(target)
  }

  async #measure(step: Omit<Step, 'measurement'>, work: () => Promise<Measurement>): Promise<Measurement> {
    // What was written before is on the disk first, so that nobody pays for the writes of another.
    execFileSync('sync')
    const measurement = await work()
    this.#options.onStep({ ...step, measurement }, this.#number)
    return measurement
  }
}
