import { invariant } from '../../core/errors.ts'
import { asBuffer, chunkIdBytes } from '../../core/ids.ts'
import type { ChunkId } from '../../core/ids.ts'

/** Of a sort key's 53 bits the highest 32 are the beginning of an id, and these are its index. */
const indexLimit = 2 ** 20

/**
 * Chunk ids one after the other in the order of their first four bytes, in which an ordered table finds neighbours on
 * pages that it has just read.
 */
export class IdList {
  readonly length: number
  readonly bytes: Uint8Array
  readonly #indexes: Float64Array

  /**
   * @param ids at most 2²⁰
   * @param wanted which of them the list has
   */
  constructor(ids: readonly ChunkId[], wanted: (id: ChunkId) => boolean) {
    invariant(ids.length <= indexLimit, 'a list of ids is too long')
    const keys = new Float64Array(ids.length)
    let length = 0
    for (const [index, id] of ids.entries()) {
      if (wanted(id)) keys[length++] = asBuffer(id).readUInt32BE(0) * indexLimit + index
    }
    this.length = length
    this.#indexes = keys.subarray(0, length).sort()
    const bytes = Buffer.allocUnsafe(length * chunkIdBytes)
    for (const [place, key] of this.#indexes.entries()) {
      const index = key % indexLimit
      this.#indexes[place] = index
      bytes.set(ids[index] as ChunkId, place * chunkIdBytes)
    }
    this.bytes = bytes
  }

  /** The index that the id at a place of the list was given with. */
  indexOf(place: number): number {
    return this.#indexes[place] ?? -1
  }
}
