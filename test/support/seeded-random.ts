import type { Random } from '../../src/core/random.ts'

/** Chance with a seed (mulberry32): the same seed gives the same sequence. */
export class SeededRandom implements Random {
  #state: number

  constructor(seed = 1) {
    this.#state = seed >>> 0
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  bytes(length: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(length)
    for (let index = 0; index < length; index += 4) {
      const word = Math.floor(this.fraction() * 2 ** 32)
      for (let part = 0; part < 4 && index + part < length; part++) bytes[index + part] = (word >>> (8 * part)) & 255
    }
    return bytes
  }
}
