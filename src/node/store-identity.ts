import type { Disk } from '../core/disk.ts'
import { isTwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { ClusterId, Incarnation } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import { openIdentity, saveIdentity } from './node-identity.ts'
import type { NodeIdentity } from './node-identity.ts'

/** The identity of an open store, and the changes that it can see in its life. All are durable on return. */
export class StoreIdentity {
  readonly #disk: Disk
  readonly #random: Random
  #current: NodeIdentity
  #counted = false

  private constructor(disk: Disk, random: Random, current: NodeIdentity) {
    this.#disk = disk
    this.#random = random
    this.#current = current
  }

  /** Counts the start of a process, unless the disk takes no writes: then the store still serves what it has. */
  static async open(disk: Disk, random: Random): Promise<StoreIdentity> {
    const store = new StoreIdentity(disk, random, await openIdentity(disk, random))
    try {
      await store.#change({ bootNumber: store.current.bootNumber + 1 })
      store.#counted = true
    } catch (error) {
      if (!isTwofoldError(error, 'io', 'no-room', 'overloaded', 'read-only')) throw error
    }
    return store
  }

  get current(): NodeIdentity {
    return this.#current
  }

  /** Which start this is; 0 when it could not be made durable, for then a loss of power could bring it back. */
  get bootNumber(): number {
    return this.#counted ? this.#current.bootNumber : 0
  }

  async rememberCluster(clusterId: ClusterId): Promise<void> {
    await this.#change({ clusterId })
  }

  /** Begins a new life of the store with the packs that it has, after a start of which the manager knows. */
  async renewIncarnation(knownBootNumber = 0): Promise<Incarnation> {
    const bootNumber = Math.max(this.#current.bootNumber, knownBootNumber + 1)
    await this.#change({ incarnation: randomHexId(this.#random), bootNumber })
    this.#counted = true
    return this.#current.incarnation
  }

  async #change(changes: Partial<NodeIdentity>): Promise<void> {
    const next = { ...this.#current, ...changes }
    await saveIdentity(this.#disk, next)
    this.#current = next
  }
}
