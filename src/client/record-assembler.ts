import { TwofoldError } from '../core/errors.ts'
import type { ReadSlice } from '../core/storage-messages.ts'

interface Span {
  readonly offset: number
  readonly length: number
}

/** Puts records together from the slices of a read. Both come in the order of their offsets. */
export class RecordAssembler<T extends Span> {
  readonly #records: readonly T[]
  readonly #onComplete: (record: T, bytes: Uint8Array) => void
  #first = 0
  readonly #partial = new Map<T, { bytes: Buffer; filled: number }>()

  /** @param records sorted by offset; `onComplete` is called for each as soon as its last byte is there. */
  constructor(records: readonly T[], onComplete: (record: T, bytes: Uint8Array) => void) {
    this.#records = records
    this.#onComplete = onComplete
  }

  get complete(): boolean {
    return this.#first === this.#records.length && this.#partial.size === 0
  }

  /** @throws TwofoldError `integrity` when a slice leaves a gap in a record. */
  push(slice: ReadSlice): void {
    const end = slice.offset + slice.data.length
    for (const [record, part] of this.#partial) this.#fill(record, part, slice)
    for (let record = this.#records[this.#first]; record !== undefined; record = this.#records[this.#first]) {
      if (record.offset >= end) break
      if (record.offset < slice.offset) throw gap(record.offset)
      this.#first += 1
      const part = { bytes: Buffer.allocUnsafe(record.length), filled: 0 }
      this.#partial.set(record, part)
      this.#fill(record, part, slice)
    }
  }

  #fill(record: T, part: { bytes: Buffer; filled: number }, slice: ReadSlice): void {
    const start = record.offset + part.filled - slice.offset
    if (start < 0 || start > slice.data.length) throw gap(record.offset + part.filled)
    const taken = Math.min(record.length - part.filled, slice.data.length - start)
    part.bytes.set(slice.data.subarray(start, start + taken), part.filled)
    part.filled += taken
    if (part.filled < record.length) return
    this.#partial.delete(record)
    this.#onComplete(record, part.bytes)
  }
}

function gap(offset: number): TwofoldError {
  return new TwofoldError('integrity', `the node left out the bytes at offset ${offset}`)
}
