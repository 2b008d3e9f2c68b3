import type { Disk } from '../core/disk.ts'
import { randomHexId } from '../core/ids.ts'
import type { ClusterId, Incarnation } from '../core/ids.ts'
import type { Random } from '../core/random.ts'
import { openIdentity, saveIdentity } from './node-identity.ts'
import type { NodeIdentity } from './node-identity.ts'

/** The identity of an open store, and the two changes that it can see in its life. Both are durable on return. */
export class StoreIdentity {
  readonly #disk: Disk
  readonly #random: Random
  #current: NodeIdentity

  private constructor(disk: Disk, random: Random, current: NodeIdentity) {
    this.#disk = disk
    this.#random = random
    this.#current = current
  }

  static async open(disk: Disk, random: Random): Promise<StoreIdentity> {
    return new StoreIdentity(disk, random, await openIdentity(disk, random))
  }

  get current(): NodeIdentity {
    return this.#current
  }

  async rememberCluster(clusterId: ClusterId): Promise<void> {
    await this.#change({ clusterId })
  }

  /** Begins a new life of the store with the packs that it has. */
  async renewIncarnation(): Promise<Incarnation> {
    await this.#change({ incarnation: randomHexId(this.#random) })
    return this.#current.incarnation
  }

  async #change(changes: Partial<NodeIdentity>): Promise<void> {
    const next = { ...this.#current, ...changes }
    await saveIdentity(this.#disk, next)
    this.#current = next
  }
}
