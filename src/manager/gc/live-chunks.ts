import { TwofoldError } from '../../core/errors.ts'
import { fromHex, toHex } from '../../core/ids.ts'
import type { ChunkId } from '../../core/ids.ts'
import { catalogueSliceRows } from '../../core/limits.ts'
import type { CatalogueReader } from '../catalogue.ts'
import { splitRefs } from '../chunk-refs.ts'
import { ChunkFilter } from '../sqlite/chunk-filter.ts'
import { Bitmap } from './bitmap.ts'

/**
 * Which chunks any snapshot reaches, in the trash or not, or any checkpoint, found by walking all their trees. What it
 * keeps in memory is a bit for each tree and a Bloom filter of 10 to 20 bits for each chunk: a chunk that it takes for
 * needed although it is not costs its space for a while, and the other way round cannot happen. Nothing may be deleted
 * while it walks: the number of a tree that is gone may be given again.
 */
export class LiveChunks {
  readonly #filter: ChunkFilter
  readonly #seen = new Bitmap()
  /** Trees to be followed, by their numbers; all of one vault. */
  readonly #trees: number[] = []
  /** What followed trees refer to, to be looked at. */
  readonly #refs: ChunkId[] = []
  readonly #countsAs: (row: { expiresAtMs: number }) => boolean
  #vault = 0
  #sequence = 0
  #checkpoint = 0

  /**
   * @param chunks about how many there are
   * @param countsAs which snapshots count; all unless the question is what would be
   */
  constructor(chunks: number, countsAs: (row: { expiresAtMs: number }) => boolean = () => true) {
    this.#countsAs = countsAs
    this.#filter = new ChunkFilter(chunks)
  }

  /** Snapshots with a later commit were not looked at. */
  get sequence(): number {
    return this.#sequence
  }

  /** Checkpoints with a higher number were not looked at. */
  get checkpoint(): number {
    return this.#checkpoint
  }

  mayBeNeeded(id: ChunkId): boolean {
    return this.#filter.mayHave(id)
  }

  /** Walks on. @returns whether there is more. @throws TwofoldError `integrity` when the catalogue has a hole */
  async walkSlice(tx: CatalogueReader): Promise<boolean> {
    if (this.#refs.length > 0) {
      await this.#mark(tx, this.#refs.splice(-catalogueSliceRows))
      return true
    }
    if (this.#trees.length > 0) {
      for (const list of await tx.chunks.refsByNumber(this.#trees.splice(-treesPerSlice))) {
        if (list === undefined) throw hole('the references of a tree are missing')
        for (const id of splitRefs(list)) this.#refs.push(id)
      }
      return true
    }
    const [next] = await tx.snapshots.sets(this.#sequence, 1)
    if (next === undefined) return this.#takeCheckpoint(tx)
    this.#sequence = next.commitSequence
    this.#vault = next.vault
    if (this.#countsAs(next)) this.#refs.push(fromHex(next.snapshotId) as ChunkId)
    return true
  }

  async #takeCheckpoint(tx: CatalogueReader): Promise<boolean> {
    const [next] = await tx.checkpoints.sets(this.#checkpoint, 1)
    if (next === undefined) return false
    this.#checkpoint = next.number
    this.#vault = next.vault
    this.#refs.push(next.tree)
    return true
  }

  async #mark(tx: CatalogueReader, ids: readonly ChunkId[]): Promise<void> {
    const rows = await tx.chunks.find(this.#vault, ids)
    const inner: ChunkId[] = []
    for (const [index, row] of rows.entries()) {
      const id = ids[index] as ChunkId
      // In doubt nothing may go: what is below a chunk that is not there cannot be known.
      if (row === undefined) throw hole(`chunk ${toHex(id)} is not in the catalogue`)
      this.#filter.add(id)
      if (row.kind !== 'data') inner.push(id)
    }
    const numbers = await tx.chunks.treeNumbers(this.#vault, inner)
    for (const number of numbers) {
      if (number === undefined) throw hole('the references of a tree are missing')
      if (this.#seen.add(number)) this.#trees.push(number)
    }
  }
}

/** Most trees have tens of references, so a slice of these stays near `catalogueSliceRows`. */
const treesPerSlice = 128

function hole(what: string): TwofoldError {
  return new TwofoldError('integrity', `a snapshot is not whole: ${what}; nothing is moved until that is repaired`)
}
