// What is loaded when it is needed would come at a time of its own.
import '../../src/client/prune.ts'
import { isTwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import { MemorySource } from '../support/memory-source.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import type { Client } from '../../src/client/client.ts'
import type { Faults } from './faults.ts'
import type { Acknowledged, Oracle } from './oracle.ts'
import type { Profile } from './profile.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimWorld } from './sim-world.ts'
import { Violation } from './violation.ts'

/** Refusals in words that a bad enough world excuses. */
const excused: readonly ErrorCode[] = [
  'not-enough-nodes',
  'no-room',
  'unavailable',
  'deadline-exceeded',
  'overloaded',
  'session-ended',
  'missing-chunks',
  'failed-precondition',
  'read-only',
  'io',
  'not-found',
  'integrity',
]

export interface WorkloadDeps {
  readonly world: SimWorld
  readonly oracle: Oracle
  readonly faults: Faults
  readonly profile: Profile
  readonly fail: (error: unknown) => void
  /** Contents that all machines have some of. */
  readonly common: readonly Uint8Array[]
}

/** What clients did. */
export interface WorkloadCounts {
  saved: number
  /** Of these, how many went on from where an earlier backup was interrupted. */
  resumed: number
  refused: number
  restored: number
  forgotten: number
  undeleted: number
  pruned: number
  drained: number
}

export function nothingDone(): WorkloadCounts {
  return { saved: 0, resumed: 0, refused: 0, restored: 0, forgotten: 0, undeleted: 0, pruned: 0, drained: 0 }
}

/** Each a chunk of its own, so that whoever has the same file has the same chunk. */
export function commonContents(seed: number): Uint8Array[] {
  const random = new SeededRandom(seed * 613 + 11)
  return Array.from({ length: 8 }, (_, index) => random.bytes(33_000 + index * 1500))
}

/** Somebody who does one thing after the other, and goes on whatever becomes of it. */
export abstract class Actor {
  readonly counts = nothingDone()
  readonly deps: WorkloadDeps
  readonly random: SeededRandom
  #over = false

  constructor(deps: WorkloadDeps, random: SeededRandom) {
    this.deps = deps
    this.random = random
  }

  /** Does something that `choice`, at least 0 and less than 1, decides. */
  protected abstract act(choice: number): Promise<void>

  end(): void {
    this.#over = true
  }

  async run(restMs: number): Promise<void> {
    const { world, fail } = this.deps
    while (!this.#over) {
      await world.scheduler.delay(this.random.fraction() * restMs)
      if (this.#over) return
      try {
        await this.act(this.random.fraction())
      } catch (error) {
        if (!isTwofoldError(error, ...excused)) fail(error)
        this.counts.refused += 1
      }
    }
  }

  pick<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.random.fraction() * choices.length)]
  }

  /** In a process of its own, which faults may strike. @returns undefined when it was killed */
  async asClient<T>(work: (client: Client, process: SimProcess) => Promise<T>): Promise<T | undefined> {
    const { world, faults } = this.deps
    const { client, process } = world.client()
    faults.clients.add(process)
    const { promise: killed, resolve } = Promise.withResolvers<undefined>()
    process.onDeath(() => resolve(undefined))
    return Promise.race([work(client, process), killed]).finally(() => faults.clients.delete(process))
  }
}

/** One machine that is backed up again and again, whose files change in between, and that restores now and then. */
export class Workload extends Actor {
  readonly #source = new MemorySource()
  readonly #files = new Map<string, Uint8Array>()
  readonly #name: string

  constructor(deps: WorkloadDeps, number: number) {
    super(deps, new SeededRandom(deps.profile.seed * 31 + number * 7907))
    this.#name = `/host${number}`
    this.#source.directory(this.#name)
  }

  protected act(choice: number): Promise<void> {
    return choice < 0.2 ? this.#restore() : this.#backup()
  }

  #change(): void {
    const { common } = this.deps
    const changes = 1 + Math.floor(this.random.fraction() * 5)
    for (let change = 0; change < changes; change++) {
      const number = (below: number): number => Math.floor(this.random.fraction() * below)
      const path = `${this.#name}/d${number(3)}/f${number(5)}`
      const choice = this.random.fraction()
      if (this.#files.has(path) && choice < 0.25) {
        this.#source.remove(path)
        this.#files.delete(path)
      } else {
        const own = choice < 0.55 ? this.random.bytes(Math.floor(this.random.fraction() ** 3 * 50_000)) : undefined
        const content = own ?? common[number(common.length)] ?? new Uint8Array(0)
        this.#source.file(path, content)
        this.#files.set(path, content)
      }
    }
  }

  async #backup(): Promise<void> {
    const { oracle } = this.deps
    this.#change()
    const files = new Map([...this.#files].map(([path, content]) => [path.slice(1), content]))
    const force = this.random.fraction() < 0.15
    // Some disks are slow, so that a lot happens while they are read.
    const slowMs = this.random.fraction() < 0.25 ? this.random.fraction() * 2500 : 0
    const checkpointIntervalMs = this.random.fraction() < 0.3 ? 1000 : 0
    const paths = [Buffer.from(this.#name)]
    const summary = await this.asClient((client, process) => {
      const { scheduler } = this.deps.world
      const wait = (): Promise<void> => process.alive(scheduler.delay(this.random.fraction() * slowMs))
      this.#source.delay = slowMs === 0 ? undefined : wait
      return client.backup({ source: this.#source, paths, force, checkpointIntervalMs })
    })
    const id = summary?.snapshot?.id
    if (id === undefined) return
    this.counts.saved += 1
    if (summary?.resumedFromMs !== undefined) this.counts.resumed += 1
    await oracle.promised({ id, files }, 2)
  }

  async #restore(): Promise<void> {
    const snapshot = this.pick(this.deps.oracle.acknowledged)
    if (snapshot === undefined) return
    await restoreAndCompare(this.deps.world, snapshot, { complete: false })
    this.counts.restored += 1
  }
}

/** @throws Violation `I1` for wrong bytes, and where `complete` is asked for, for missing ones. */
export async function restoreAndCompare(
  world: SimWorld,
  { id, files }: Acknowledged,
  { complete }: { complete: boolean },
): Promise<void> {
  const target = new MemoryTarget()
  const summary = await world.client().client.restore({ reference: id, target })
  if (complete && (summary.problems > 0 || summary.filesRestored !== files.size)) {
    throw new Violation('I1', `snapshot ${id}: ${summary.filesRestored} of ${files.size} files came back`)
  }
  for (const [path, content] of files) {
    const restored = target.at(path)?.content
    if (restored === undefined && complete) throw new Violation('I1', `snapshot ${id}: ${path} did not come back`)
    if (restored !== undefined && !restored.equals(Buffer.from(content))) {
      throw new Violation('I1', `snapshot ${id}: ${path} came back with other bytes`)
    }
  }
}
