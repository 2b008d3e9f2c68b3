import { asBuffer } from '../../core/ids.ts'
import type { ChunkId } from '../../core/ids.ts'

/** All bits of an id lie in one block, which is a line of the processor's cache. */
const wordsPerBlock = 16
const bitsPerBlock = wordsPerBlock * 32
/** With six bits set for each id, one in a hundred that is absent looks present. */
const bitsPerId = 10
const blocksMin = 1024

/**
 * A Bloom filter of chunk ids: it may take an absent one for present, never a present one for absent. Ids are hashes,
 * so their own bytes say which bits are theirs.
 */
export class ChunkFilter {
  readonly #words: Uint32Array
  readonly #mask: number
  #count = 0

  /** @param expected how many ids it should have room for; it takes 10 to 20 bits for each */
  constructor(expected: number) {
    const needed = Math.max(blocksMin, (expected * bitsPerId) / bitsPerBlock)
    const blocks = 2 ** Math.ceil(Math.log2(needed))
    this.#mask = blocks - 1
    this.#words = new Uint32Array(blocks * wordsPerBlock)
  }

  /** Whether so many were added that too many absent ones look present. */
  get full(): boolean {
    return this.#count * bitsPerId > this.#words.length * 32
  }

  add(id: ChunkId): void {
    const bytes = asBuffer(id)
    const block = (bytes.readUInt32LE(0) & this.#mask) * wordsPerBlock
    this.#set(block, bytes.readUInt32LE(4))
    this.#set(block, bytes.readUInt32LE(8))
    this.#count += 1
  }

  mayHave(id: ChunkId): boolean {
    const bytes = asBuffer(id)
    const block = (bytes.readUInt32LE(0) & this.#mask) * wordsPerBlock
    return this.#has(block, bytes.readUInt32LE(4)) && this.#has(block, bytes.readUInt32LE(8))
  }

  /** Three of the bits: each nine bits of `hash` number one of the block. */
  #set(block: number, hash: number): void {
    for (let shift = 0; shift < 27; shift += 9) {
      const word = block + ((hash >>> (shift + 5)) & 15)
      this.#words[word] = (this.#words[word] ?? 0) | (1 << ((hash >>> shift) & 31))
    }
  }

  #has(block: number, hash: number): boolean {
    for (let shift = 0; shift < 27; shift += 9) {
      const word = this.#words[block + ((hash >>> (shift + 5)) & 15)] ?? 0
      if ((word & (1 << ((hash >>> shift) & 31))) === 0) return false
    }
    return true
  }
}
