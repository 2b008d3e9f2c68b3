import { asBuffer, toHex } from '../../src/core/ids.ts'
import type { SnapshotId } from '../../src/core/ids.ts'
import { blake3 } from '../../src/format/hash.ts'
import { decodePackSet } from '../../src/manager/pack-set.ts'
import { packsDirectory, parseFileName } from '../../src/node/pack-file-name.ts'
import type { SimNode, SimWorld } from './sim-world.ts'

/** A promise of the system that was broken. */
export class Violation extends Error {
  readonly invariant: string

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`)
    this.invariant = invariant
  }
}

/** A snapshot that a client was told is safe, and what must come back from it. */
export interface Acknowledged {
  readonly id: SnapshotId
  readonly files: ReadonlyMap<string, Uint8Array>
}

type Layer = 'seen' | 'durable'

/** Knows what was promised, and looks behind everybody's back whether it is still true. */
export class Oracle {
  readonly acknowledged: Acknowledged[] = []
  /** What somebody wanted to be forgotten, whether or not that was confirmed: it may be there, and may be gone. */
  readonly forgotten: Acknowledged[] = []
  readonly #world: SimWorld
  /** The right bytes of each pack that was part of a promise, by their hash. */
  readonly #packs = new Map<string, string>()
  /** Contents are replaced, never changed, so their hashes can be remembered. */
  readonly #hashes = new WeakMap<Uint8Array, string>()

  constructor(world: SimWorld) {
    this.#world = world
  }

  /**
   * Takes note of a promise at the moment at which it is given.
   * @throws Violation `I2` unless every pack is durable and whole on `copies` nodes.
   */
  async promised(snapshot: Acknowledged, copies: number): Promise<void> {
    for (const packId of await this.#packsOf(snapshot.id)) {
      const versions = new Set(this.#copies(packId, 'seen').map((content) => this.#hash(content)))
      if (versions.size > 1) throw new Violation('I5', `copies of pack ${packId} differ`)
      for (const hash of versions) this.#packs.set(packId, hash)
      const durable = this.good(packId, 'durable')
      if (durable < copies) {
        throw new Violation('I2', `snapshot ${snapshot.id} was acknowledged, pack ${packId} has ${durable} copies`)
      }
    }
    this.acknowledged.push(snapshot)
  }

  /** Before anybody asks for it: from then on nobody can rely on the snapshot. */
  forgetting(snapshot: Acknowledged): void {
    this.acknowledged.splice(this.acknowledged.indexOf(snapshot), 1)
    this.forgotten.push(snapshot)
  }

  /** It was confirmed that it is back. */
  undeleted(snapshot: Acknowledged): void {
    this.forgotten.splice(this.forgotten.indexOf(snapshot), 1)
    this.acknowledged.push(snapshot)
  }

  /** @throws Violation `I1` when something that was promised is gone. */
  async check(): Promise<void> {
    for (const { id } of this.acknowledged) {
      for (const packId of await this.#packsOf(id)) {
        if (this.good(packId, 'seen') === 0) throw new Violation('I1', `pack ${packId} of snapshot ${id} is lost`)
      }
    }
  }

  /** Whether every pack that was promised has this many whole copies that would survive a loss of power. */
  async redundant(copies: number): Promise<boolean> {
    for (const { id } of this.acknowledged) {
      for (const packId of await this.#packsOf(id)) if (this.good(packId, 'durable') < copies) return false
    }
    return true
  }

  /** How many whole copies of a pack there are on all disks, also of nodes that do not run. */
  good(packId: string, layer: Layer): number {
    const wanted = this.#packs.get(packId)
    return this.#copies(packId, layer).filter((content) => wanted === undefined || this.#hash(content) === wanted)
      .length
  }

  #copies(packId: string, layer: Layer): Uint8Array[] {
    return this.#world.nodes.flatMap((node) => {
      const contents = packFiles(node).filter((file) => file.packId === packId)
      return contents.flatMap(({ path }) => node.disk.content(path, layer) ?? [])
    })
  }

  async #packsOf(id: SnapshotId): Promise<string[]> {
    const packs = await this.#world.catalogue.read(async (tx) => {
      const row = await tx.snapshots.find(id)
      if (row === undefined) throw new Violation('I1', `snapshot ${id} was acknowledged and is not in the catalogue`)
      const set = await tx.snapshots.packs(row.commitSequence)
      return set === undefined ? [] : tx.packs.byIds(decodePackSet(set))
    })
    return packs.map((pack) => {
      if (pack?.state !== 'committed') throw new Violation('I6', `snapshot ${id} needs a pack that is ${pack?.state}`)
      return pack.packId
    })
  }

  #hash(content: Uint8Array): string {
    const known = this.#hashes.get(content)
    if (known !== undefined) return known
    const hash = toHex(blake3(asBuffer(content)))
    this.#hashes.set(content, hash)
    return hash
  }
}

/** The sealed packs on a node's disk. */
export function packFiles(node: SimNode): { packId: string; path: string }[] {
  return node.disk.files().flatMap((path) => {
    const put = path.startsWith(`${packsDirectory}/`) ? parseFileName(path.split('/').at(-1) ?? '') : undefined
    return put === undefined ? [] : [{ packId: put.packId, path }]
  })
}
