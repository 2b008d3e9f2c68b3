// What is loaded when it is needed would come at a time of its own.
import '../../src/client/prune.ts'
import { isTwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import { MemorySource } from '../support/memory-source.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import type { Faults } from './faults.ts'
import { Violation } from './oracle.ts'
import type { Acknowledged, Oracle } from './oracle.ts'
import type { Profile } from './profile.ts'
import type { SimWorld } from './sim-world.ts'

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
}

/** What clients did. */
export interface WorkloadCounts {
  saved: number
  refused: number
  restored: number
  forgotten: number
  undeleted: number
  pruned: number
}

/** One machine that is backed up again and again, whose files change in between, and that restores now and then. */
export class Workload {
  readonly counts: WorkloadCounts = { saved: 0, refused: 0, restored: 0, forgotten: 0, undeleted: 0, pruned: 0 }
  readonly #deps: WorkloadDeps
  readonly #random: SeededRandom
  readonly #source = new MemorySource()
  readonly #files = new Map<string, Uint8Array>()
  readonly #name: string
  #over = false

  constructor(deps: WorkloadDeps, number: number) {
    this.#deps = deps
    this.#name = `/host${number}`
    this.#random = new SeededRandom(deps.profile.seed * 31 + number * 7907)
    this.#source.directory(this.#name)
  }

  end(): void {
    this.#over = true
  }

  async run(): Promise<void> {
    const { world, fail } = this.#deps
    while (!this.#over) {
      await world.scheduler.delay(this.#random.fraction() * 4000)
      if (this.#over) return
      try {
        await this.#act(this.#random.fraction())
      } catch (error) {
        if (!isTwofoldError(error, ...excused)) fail(error)
        this.counts.refused += 1
      }
    }
  }

  #act(choice: number): Promise<void> {
    if (choice < 0.15) return this.#restore()
    if (choice < 0.25) return this.#forget()
    if (choice < 0.3) return this.#undelete()
    if (choice < 0.4) return this.#prune()
    return this.#backup()
  }

  #pick<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.#random.fraction() * choices.length)]
  }

  async #forget(): Promise<void> {
    const { oracle, world } = this.#deps
    const snapshot = this.#pick(oracle.acknowledged)
    if (snapshot === undefined) return
    oracle.forgetting(snapshot)
    await world.client().client.forget({ ids: [snapshot.id], now: this.#random.fraction() < 0.7 })
    this.counts.forgotten += 1
  }

  async #undelete(): Promise<void> {
    const { oracle, world } = this.#deps
    const snapshot = this.#pick(oracle.forgotten)
    if (snapshot === undefined) return
    await world.client().client.undelete({ ids: [snapshot.id] })
    // Somebody else may have asked for the same meanwhile.
    if (!oracle.forgotten.includes(snapshot)) return
    oracle.undeleted(snapshot)
    this.counts.undeleted += 1
  }

  async #prune(): Promise<void> {
    await this.#deps.world.client().client.prune({ unusedPermilleMax: 0 })
    this.counts.pruned += 1
  }

  #change(): void {
    const changes = 1 + Math.floor(this.#random.fraction() * 6)
    for (let change = 0; change < changes; change++) {
      const number = (below: number): number => Math.floor(this.#random.fraction() * below)
      const path = `${this.#name}/d${number(3)}/f${number(8)}`
      if (this.#files.has(path) && this.#random.fraction() < 0.2) {
        this.#source.remove(path)
        this.#files.delete(path)
      } else {
        const content = this.#random.bytes(Math.floor(this.#random.fraction() ** 3 * 90_000))
        this.#source.file(path, content)
        this.#files.set(path, content)
      }
    }
  }

  async #backup(): Promise<void> {
    const { world, oracle, faults, profile } = this.#deps
    this.#change()
    const files = new Map([...this.#files].map(([path, content]) => [path.slice(1), content]))
    const { client, process } = world.client()
    faults.clients.add(process)
    const force = this.#random.fraction() < 0.1
    const paths = [Buffer.from(this.#name)]
    const done = client.backup({ source: this.#source, paths, force })
    const { promise: killed, resolve } = Promise.withResolvers<undefined>()
    process.onDeath(() => resolve(undefined))
    const summary = await Promise.race([done, killed]).finally(() => faults.clients.delete(process))
    const id = summary?.snapshot?.id
    if (id === undefined) return
    this.counts.saved += 1
    const destroyed = profile.kinds.some((kind) => kind.startsWith('destroy'))
    await oracle.promised({ id, files }, destroyed ? 1 : 2)
  }

  async #restore(): Promise<void> {
    const snapshot = this.#pick(this.#deps.oracle.acknowledged)
    if (snapshot === undefined) return
    await restoreAndCompare(this.#deps.world, snapshot, { complete: false })
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
