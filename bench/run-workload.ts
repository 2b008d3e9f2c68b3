import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TreeComparison } from './compare-trees.ts'
import { Discarded } from './discarded.ts'
import type { Measurement } from './measure/measurement.ts'
import type { BackupProgram } from './programs/backup-program.ts'
import { peerNames, startPeer } from './programs/peers.ts'
import { measurePipeline } from './programs/pipeline.ts'
import { measureCopy, measureTwoSyncedCopies } from './programs/raw-copy.ts'
import { Twofold } from './programs/twofold.ts'
import { planSecondDay, sizeAfter } from './workloads/second-day.ts'
import type { Change, FolderSize } from './workloads/second-day.ts'
import { SourceFolder } from './workloads/source-folder.ts'
import type { FileSpec, Workload } from './workloads/workload.ts'

/** What was measured of one step of one program in one run. */
export interface Step {
  readonly program: string
  readonly step: string
  /** From 1 on. */
  readonly run: number
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
  readonly peers: boolean
  readonly signal: AbortSignal
  /** Is told of every step when it is done. */
  readonly onStep: (step: Step) => void
}

/** For more files the copies are not synced one by one: that takes minutes and says nothing new. */
const syncedFilesMost = 20_000

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
  for (let number = 1; number <= runs; number++) {
    const run = new Run({ ...options, directory: join(directory, 'run'), discarded }, number)
    try {
      await run.start()
      await run.twoDays(source, files, changes)
    } finally {
      await run.close()
    }
    source.undo(changes)
  }
  discarded.add(source.path)
}

/** Another one first in every run, so that what goes on beside hits all of them. */
export function inTurn<T>(items: readonly T[], run: number): T[] {
  const first = (run - 1) % Math.max(1, items.length)
  return [...items.slice(first), ...items.slice(0, first)]
}

interface RunOptions extends WorkloadOptions {
  readonly discarded: Discarded
}

/** All programs with the same folder, each step by all of them before the next step. */
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

  /** Starts every program with an empty store. */
  async start(): Promise<void> {
    const { directory, signal, peers } = this.#options
    this.#programs.push(await Twofold.start(join(directory, 'cluster'), signal))
    for (const name of peers ? peerNames : []) {
      this.#programs.push(await startPeer(name, join(directory, name), signal))
    }
  }

  async twoDays(source: SourceFolder, files: readonly FileSpec[], changes: readonly Change[]): Promise<void> {
    const firstDay = sizeAfter(files, [])
    const saves = this.#programs.map((program) => () => this.#backup(program, 'first backup', source.path, firstDay))
    const alone = () => this.#backupOneCopy(source.path, firstDay)
    for (const work of inTurn([...this.#limits(source.path, firstDay), alone, ...saves], this.#number)) await work()
    for (const program of this.#inTurn()) await this.#backup(program, 'nothing changed', source.path, firstDay)
    source.change(changes)
    // rsync takes times within a second for the same, and leaves the one it has.
    await sleep(1100)
    const secondDay = sizeAfter(files, changes)
    for (const program of this.#inTurn()) await this.#backup(program, 'second day', source.path, secondDay)
    for (const program of this.#inTurn()) await this.#restore(program, source.path, secondDay)
  }

  /** Ends all processes and removes everything they stored. */
  async close(): Promise<void> {
    for (const program of this.#programs) await program.close()
    this.#options.discarded.add(this.#options.directory)
  }

  #inTurn(): BackupProgram[] {
    return inTurn(this.#programs, this.#number)
  }

  /** What the machine can do at most with the same data. */
  #limits(source: string, size: FolderSize): (() => Promise<void>)[] {
    const { directory, signal, discarded } = this.#options
    const below = join(directory, 'limit')
    const limits: Record<string, () => Promise<Measurement>> = {
      'cp -a': () => measureCopy(source, below, signal),
      ...(size.files > syncedFilesMost
        ? {}
        : { 'cp + fsync twice': () => measureTwoSyncedCopies(source, below, signal) }),
      pipeline: () => measurePipeline(size.bytes, below, signal),
    }
    return Object.entries(limits).map(([step, work]) => async () => {
      await this.#measure({ program: 'raw', step, size }, work)
      discarded.add(below)
    })
  }

  /** With a cluster of its own, which ends at once. */
  async #backupOneCopy(source: string, size: FolderSize): Promise<void> {
    const { directory, signal, discarded } = this.#options
    const below = join(directory, 'one-copy')
    const program = await Twofold.start(below, signal, 1)
    try {
      await this.#backup(program, 'first backup', source, size)
    } finally {
      await program.close()
    }
    discarded.add(below)
  }

  async #backup(program: BackupProgram, step: string, source: string, size: FolderSize): Promise<void> {
    await this.#measure({ program: program.name, step, size }, () => program.backup(source))
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

  async #measure(step: Omit<Step, 'measurement' | 'run'>, work: () => Promise<Measurement>): Promise<void> {
    // What was written before is on the disk first, so that nobody pays for the writes of another.
    execFileSync('sync')
    const measurement = await work()
    this.#options.onStep({ ...step, run: this.#number, measurement })
  }
}
