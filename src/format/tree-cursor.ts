import { chunkIdBytes } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { extentsInlineMax, recordBodyBytesMax } from '../core/limits.ts'
import type { RecordContent } from './extent.ts'

/** The fields of `TreeEntry` in `format.proto`, by their numbers. */
export const entryField = {
  name: 1,
  type: 2,
  mode: 3,
  uid: 4,
  gid: 5,
  user: 6,
  group: 7,
  mtimeNs: 8,
  ctimeNs: 9,
  size: 10,
  inode: 11,
  device: 12,
  links: 13,
  extents: 14,
  target: 16,
  tree: 17,
} as const

const fieldsEnd = 18
const entriesOfTree = 1
const directory = 2
const refOfExtent = 1
const lengthOfExtent = 3
const varint = 0
const delimited = 2
/** How each field of an entry is stored. Extent lists (15) and extended attributes (18) are left to `decodeTree`. */
const wireTypes = [-1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 2, -1, 2, 0]

/**
 * Steps over the entries of an encoded tree without making an object of any: for comparing. What it does not know, or
 * what `decodeTree` would refuse, ends it as `strange`; decoding then tells what is the matter. It does not look at
 * names, whose order and form the caller compares with.
 */
export class TreeCursor {
  /**
   * Of the current entry, by number of the field: the low and high half of its 64 bits; where bytes begin and end in
   * `plain`. Zero for what is not stored.
   */
  readonly low = new Uint32Array(fieldsEnd)
  readonly high = new Uint32Array(fieldsEnd)
  strange = false
  readonly #plain: Uint8Array
  readonly #refs: Uint8Array
  #at = 0
  #low = 0
  #high = 0
  #extents = 0
  #extentBytes = 0

  constructor({ plain, refs }: RecordContent) {
    this.#plain = plain
    this.#refs = refs
  }

  get plain(): Uint8Array {
    return this.#plain
  }

  /** The tree of the current entry, a directory; it shares memory with the references. */
  get tree(): ChunkId {
    const reference = this.low[entryField.tree] as number
    return this.#refs.subarray((reference - 1) * chunkIdBytes, reference * chunkIdBytes) as ChunkId
  }

  /** Goes to the next entry. False after the last one, and when anything is strange. */
  next(): boolean {
    if (this.strange || this.#at >= this.#plain.length) return false
    this.low.fill(0)
    this.high.fill(0)
    this.#extents = 0
    this.#extentBytes = 0
    const fine = this.#tag(this.#plain.length) === ((entriesOfTree << 3) | delimited) && this.#fields(this.#bytesEnd())
    this.strange = !fine
    return fine
  }

  /** Whether the current entry is a file with all of its extents, or a directory with its tree. */
  get complete(): boolean {
    const { low, high } = this
    if (low[entryField.type] === directory) {
      return this.#extents === 0 && this.#isReference(low[entryField.tree] as number)
    }
    if (low[entryField.tree] !== 0) return false
    return this.#extentBytes === (low[entryField.size] as number) + (high[entryField.size] as number) * 2 ** 32
  }

  #fields(end: number): boolean {
    if (end > this.#plain.length) return false
    while (this.#at < end) {
      const tag = this.#tag(end)
      const field = tag >>> 3
      if (wireTypes[field] !== (tag & 7)) return false
      if ((tag & 7) === varint) {
        this.#varint()
        this.low[field] = this.#low
        this.high[field] = this.#high
        if (field === entryField.mtimeNs || field === entryField.ctimeNs) this.#unfoldSign(field)
        continue
      }
      const bytesEnd = this.#bytesEnd()
      if (bytesEnd > end) return false
      this.low[field] = this.#at
      this.high[field] = bytesEnd
      if (field === entryField.extents && !this.#extent(bytesEnd)) return false
      this.#at = bytesEnd
    }
    return this.#at === end
  }

  #extent(end: number): boolean {
    let reference = 0
    let offset = 0
    let length = 0
    while (this.#at < end) {
      const tag = this.#tag(end)
      if ((tag & 7) !== varint || tag >>> 3 < refOfExtent || tag >>> 3 > lengthOfExtent) return false
      this.#varint()
      const value = this.#low + this.#high * 2 ** 32
      if (tag >>> 3 === refOfExtent) reference = value
      else if (tag >>> 3 === lengthOfExtent) length = value
      else offset = value
    }
    this.#extents += 1
    this.#extentBytes += length
    if (this.#at !== end || length < 1 || this.#extents > extentsInlineMax) return false
    if (reference === 0) return offset === 0
    return this.#isReference(reference) && offset + length <= recordBodyBytesMax
  }

  #isReference(reference: number): boolean {
    return reference >= 1 && reference * chunkIdBytes <= this.#refs.length
  }

  /** A tag of one or two bytes; 0, which is none, for anything else. */
  #tag(end: number): number {
    const first = this.#plain[this.#at++] as number
    if (first < 0x80) return first
    const second = this.#at < end ? (this.#plain[this.#at++] as number) : 0x80
    return second < 0x80 ? (first & 0x7f) | (second << 7) : 0
  }

  #bytesEnd(): number {
    this.#varint()
    return this.#high === 0 ? this.#at + this.#low : Infinity
  }

  /** Reads a number of up to ten bytes; one that is longer, or cut off, becomes one that nothing is equal to. */
  #varint(): void {
    const bytes = this.#plain
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[this.#at++] ?? 0x80
      const bits = byte & 0x7f
      if (shift < 32) low |= bits << shift
      if (shift > 28) high |= bits << (shift - 32)
      else if (shift === 28) high |= bits >>> 4
      if (byte < 0x80) {
        this.#low = low >>> 0
        this.#high = high >>> 0
        return
      }
    }
    this.#at = Infinity
  }

  #unfoldSign(field: number): void {
    const low = this.low[field] as number
    const high = this.high[field] as number
    const sign = -(low & 1)
    this.low[field] = ((low >>> 1) | (high << 31)) ^ sign
    this.high[field] = (high >>> 1) ^ sign
  }
}
