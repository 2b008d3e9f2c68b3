import { TwofoldError } from '../core/errors.ts'
import { chunkIdBytes, chunkKey } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { recordRefsMax } from '../core/limits.ts'

/** Collects the chunks that a record refers to: each once, in the order of first use. References count from 1. */
export class ReferenceCollector {
  readonly #numbers = new Map<string, number>()
  readonly #ids: ChunkId[] = []

  /** The reference to `id`, which is added when it is new. */
  refer(id: ChunkId): number {
    const key = chunkKey(id)
    let number = this.#numbers.get(key)
    if (number === undefined) {
      this.#ids.push(id)
      number = this.#ids.length
      this.#numbers.set(key, number)
    }
    return number
  }

  /** The list as it stands in a record. @throws TwofoldError `invalid-argument` when it is too long for one record. */
  encode(): Uint8Array {
    if (this.#ids.length > recordRefsMax) {
      throw new TwofoldError('invalid-argument', `a record cannot refer to ${this.#ids.length} chunks`)
    }
    const refs = new Uint8Array(this.#ids.length * chunkIdBytes)
    this.#ids.forEach((id, index) => refs.set(id, index * chunkIdBytes))
    return refs
  }
}

/** Looks references up. The ids it gives share memory with the list; the same reference gives the same object. */
export class ReferenceReader {
  readonly #refs: Uint8Array
  readonly #ids: (ChunkId | undefined)[]

  /** @throws TwofoldError `integrity` when `refs` is no list of ids. */
  constructor(refs: Uint8Array) {
    if (refs.length % chunkIdBytes !== 0 || refs.length > recordRefsMax * chunkIdBytes) {
      throw new TwofoldError('integrity', `a list of references has ${refs.length} bytes`)
    }
    this.#refs = refs
    this.#ids = new Array<ChunkId | undefined>(refs.length / chunkIdBytes)
  }

  /** @throws TwofoldError `integrity` for 0 and beyond the end. */
  at(reference: number): ChunkId {
    const index = reference - 1
    if (!(index >= 0 && index < this.#ids.length)) {
      throw new TwofoldError('integrity', `reference ${reference} of ${this.#ids.length}`)
    }
    const known = this.#ids[index]
    if (known !== undefined) return known
    const id = this.#refs.subarray(index * chunkIdBytes, (index + 1) * chunkIdBytes) as ChunkId
    this.#ids[index] = id
    return id
  }
}
