import { createCipheriv, createHash } from 'node:crypto'
import type { Cipheriv } from 'node:crypto'

const poolBytes = 64 * 1024
const zeros = Buffer.alloc(1024 * 1024)

/** Bytes and numbers that look random and are always the same for a seed: AES in counter mode. */
export class SeededStream {
  readonly #cipher: Cipheriv
  #pool: Buffer = Buffer.alloc(0)
  #poolAt = 0

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest().subarray(0, 16)
    this.#cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  }

  /** Overwrites the whole of `target`. */
  fill(target: Buffer): void {
    for (let at = 0; at < target.length; at += zeros.length) {
      const length = Math.min(zeros.length, target.length - at)
      target.set(this.#cipher.update(zeros.subarray(0, length)), at)
    }
  }

  /** A whole number below 2³². */
  uint32(): number {
    if (this.#poolAt + 4 > this.#pool.length) {
      this.#pool = this.#cipher.update(zeros.subarray(0, poolBytes))
      this.#poolAt = 0
    }
    const value = this.#pool.readUInt32LE(this.#poolAt)
    this.#poolAt += 4
    return value
  }

  /** A number from 0 to just below 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32
  }

  /** A whole number from 0 to just below `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** As many different ones of `items` as asked for, or all, in no order. */
  pick<T>(items: readonly T[], count: number): T[] {
    const left = [...items]
    const picked: T[] = []
    while (picked.length < count && left.length > 0) {
      const at = this.below(left.length)
      const last = left.pop() as T
      picked.push(at === left.length ? last : (left[at] as T))
      if (at < left.length) left[at] = last
    }
    return picked
  }
}
