import type { ChildProcess } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseLines } from '../../bench/cluster.ts'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { ChangingTree } from './changing-tree.ts'
import type { Attempt, Ledger } from './ledger.ts'
import type { Stage } from './stage.ts'

export interface WorkingClientOptions {
  readonly name: string
  readonly stage: Stage
  readonly ledger: Ledger
  readonly directory: string
  readonly seed: number
}

export interface Ended {
  /** -1 when it was killed. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** From one round to the next. */
const restMs = { least: 200, most: 1500 }
const restoresPart = 0.4
const forgetsPart = 0.2
/** No command may take longer: a minute for a manager that is away, and again for a commit that is in doubt. */
export const commandMostMs = 180_000
/**
 * But these, who wait for all nodes to have reported, and begin anew when the manager does: in a storm that may never
 * come. They may be interrupted at any point, and are. In the calm after it a prune must have done its work.
 */
const patient = ['prune']

/** Somebody who changes files, backs them up, restores old snapshots and gives some up, again and again. */
export class WorkingClient {
  readonly name: string
  readonly #options: WorkingClientOptions
  readonly #random: SeededRandom
  readonly #tree: ChangingTree
  readonly #mine: Attempt[] = []
  #running: ChildProcess | undefined
  #round = 0
  #livesMs = Infinity

  constructor(options: WorkingClientOptions) {
    this.name = options.name
    this.#options = options
    this.#random = new SeededRandom(options.seed)
    this.#tree = new ChangingTree(join(options.directory, options.name, 'source'), options.seed)
  }

  /** Resolves when `signal` is aborted and what was in progress then is over. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.backUp()
      if (this.#random.fraction() < restoresPart) await this.#lookBack()
      if (this.#random.fraction() < forgetsPart) await this.#forgetOne()
      const ms = restMs.least + (restMs.most - restMs.least) * this.#random.fraction()
      await sleep(ms, undefined, { signal }).catch(() => undefined)
    }
  }

  /** The next command is killed so long after it began, if it lives that long. */
  doom(afterMs: number): void {
    this.#livesMs = afterMs
  }

  /** No command that begins from now on is killed. */
  spare(): void {
    this.#livesMs = Infinity
  }

  /** What runs now is gone, whatever it was doing. */
  kill(): void {
    this.#running?.kill('SIGKILL')
  }

  /** Changes the tree, and backs it up. */
  async backUp(): Promise<Attempt> {
    const { ledger, directory } = this.#options
    const tag = `${this.name}-r${this.#round++}`
    const source = this.#tree.path
    const copy = join(directory, this.name, `copy-${tag}`)
    this.#tree.change()
    this.#tree.copyTo(copy)
    const { code, stdout, stderr } = await this.#run(['backup', source, '--host', this.name, '--tag', tag, '--json'])
    // Acknowledged is what was said: a client that is killed just after it said so has kept its word.
    const snapshotId = snapshotIn(stdout)
    const attempt = { tag, source, copy, code, snapshotId }
    ledger.addBackup(attempt, stderr)
    if (snapshotId !== undefined) this.#mine.push(attempt)
    return attempt
  }

  async #lookBack(): Promise<void> {
    const attempt = this.#mine[Math.floor(this.#random.fraction() * this.#mine.length)]
    if (attempt?.snapshotId === undefined) return
    const { ledger, directory } = this.#options
    const target = join(directory, this.name, 'restored')
    const ended = await this.#run(['restore', attempt.snapshotId, '--target', target])
    ledger.addCommand('restore', `${attempt.tag} in between`, ended)
    if (ended.code === 0) {
      ledger.restoresCompared += 1
      const { differences } = TreeComparison.compare(attempt.copy, join(target, attempt.source))
      for (const one of differences) ledger.violate(`${attempt.tag} restored in between: ${one}`)
    }
    fs.rmSync(target, { recursive: true, force: true })
  }

  /** For good, and gives its space back. It is out of the game as soon as that was asked for. */
  async #forgetOne(): Promise<void> {
    const [attempt] = this.#mine.splice(Math.floor(this.#random.fraction() * this.#mine.length), 1)
    if (attempt?.snapshotId === undefined) return
    const { ledger } = this.#options
    ledger.forgetting.add(attempt.snapshotId)
    const ended = await this.#run(['forget', attempt.snapshotId, '--now', '--yes'])
    ledger.addCommand('forget', attempt.tag, ended)
    if (ended.code === 0) ledger.forgotten.add(attempt.snapshotId)
    ledger.addCommand('prune', `after ${attempt.tag}`, await this.#run(['prune']))
  }

  async #run(args: readonly string[]): Promise<Ended> {
    const { stage, ledger } = this.#options
    const child = stage.cluster.spawn(args, { environment: stage.clientEnvironment })
    this.#running = child
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()))
    const timer = setTimeout(() => {
      if (!patient.includes(args[0] ?? '')) ledger.violate(`${args.join(' ')} took more than ${commandMostMs / 1000} s`)
      child.kill('SIGKILL')
    }, commandMostMs)
    const livesMs = this.#livesMs
    this.#livesMs = Infinity
    const doom = livesMs < Infinity ? setTimeout(() => child.kill('SIGKILL'), livesMs) : undefined
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode) => resolve(exitCode ?? -1))
    })
    clearTimeout(timer)
    clearTimeout(doom)
    this.#running = undefined
    return { code, stdout, stderr }
  }
}

/** The last line may be cut off when the process was killed. */
function snapshotIn(stdout: string): string | undefined {
  const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1)
  const lines = parseLines<{ message_type: string; snapshot_id?: string }>(whole)
  return lines.find(({ message_type }) => message_type === 'summary')?.snapshot_id
}
