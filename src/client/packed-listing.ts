import { clampTimeNs } from '../format/time-range.ts'
import type { SourceEntry, SourceListing, SourceStat, SourceType } from './source-tree.ts'

/** An entry's type is stored as its place here; the first three are the numbers of the stored trees. */
const types: readonly (SourceType | undefined)[] = [
  undefined,
  'file',
  'directory',
  'symlink',
  'fifo',
  'socket',
  'block-device',
  'character-device',
]
const numbersOfTypes = new Map(types.map((type, number) => [type, number]))

/** Where an entry has what, in words of 32 bits; those from `size` on are pairs, the low half first. */
export const word = {
  type: 0,
  mode: 1,
  uid: 2,
  gid: 3,
  links: 4,
  nameEnd: 5,
  size: 6,
  allocated: 8,
  mtimeNs: 10,
  ctimeNs: 12,
  inode: 14,
  device: 16,
} as const
const wordsOfEntry = 18

type Problems = SourceListing['problems']

/** A listing as it goes from thread to thread. */
export interface ListingMemory {
  readonly words: Uint32Array<ArrayBuffer>
  /** Of all entries, one behind the other. */
  readonly names: Uint8Array<ArrayBuffer>
  readonly problems: Problems
}

/**
 * The listing of a directory in two pieces of memory. An object is made of an entry only when somebody asks for it:
 * most entries of most backups are compared with the parent's and found equal. Times are those that trees can store.
 */
export class PackedListing implements SourceListing {
  readonly memory: ListingMemory
  readonly count: number
  readonly #pairs: BigInt64Array
  readonly #ids: BigUint64Array
  #entries: SourceEntry[] | undefined

  constructor(memory: ListingMemory) {
    const { buffer, byteOffset, length } = memory.words
    this.memory = memory
    this.count = length / wordsOfEntry
    this.#pairs = new BigInt64Array(buffer, byteOffset, length / 2)
    this.#ids = new BigUint64Array(buffer, byteOffset, length / 2)
  }

  get problems(): Problems {
    return this.memory.problems
  }

  get entries(): readonly SourceEntry[] {
    this.#entries ??= Array.from({ length: this.count }, (_, index) => this.#entry(index))
    return this.#entries
  }

  /** A word of an entry. */
  at(index: number, which: number): number {
    return this.memory.words[index * wordsOfEntry + which] as number
  }

  /** Where the name of an entry begins in the memory of all names; it ends at its word `nameEnd`. */
  nameStart(index: number): number {
    return index === 0 ? 0 : this.at(index - 1, word.nameEnd)
  }

  name(index: number): Uint8Array {
    return this.memory.names.subarray(this.nameStart(index), this.at(index, word.nameEnd))
  }

  device(index: number): bigint {
    return this.#ids[(index * wordsOfEntry + word.device) / 2] as bigint
  }

  size(index: number): number {
    return this.#number(index, word.size)
  }

  #number(index: number, which: number): number {
    return this.at(index, which) + this.at(index, which + 1) * 2 ** 32
  }

  #entry(index: number): SourceEntry {
    const pair = (which: number): number => (index * wordsOfEntry + which) / 2
    return {
      name: this.name(index),
      type: types[this.at(index, word.type)] as SourceType,
      mode: this.at(index, word.mode),
      uid: this.at(index, word.uid),
      gid: this.at(index, word.gid),
      size: this.size(index),
      allocatedBytes: this.#number(index, word.allocated),
      mtimeNs: this.#pairs[pair(word.mtimeNs)] as bigint,
      ctimeNs: this.#pairs[pair(word.ctimeNs)] as bigint,
      inode: this.#ids[pair(word.inode)] as bigint,
      device: this.device(index),
      links: this.at(index, word.links),
    }
  }
}

/** Packs the entries of one directory, in the order of their names. */
export class ListingPacker {
  #words: Uint32Array<ArrayBuffer>
  #pairs: BigInt64Array
  readonly #names: Buffer<ArrayBuffer>
  #count = 0
  #nameBytes = 0

  /** For `entries` entries whose names have `nameBytes` bytes together, or fewer. */
  constructor(entries: number, nameBytes: number) {
    this.#words = new Uint32Array(entries * wordsOfEntry)
    this.#pairs = new BigInt64Array(this.#words.buffer)
    this.#names = Buffer.from(new ArrayBuffer(nameBytes))
  }

  /** @param name its bytes, or these as latin1 */
  add(name: Uint8Array | string, stat: SourceStat): void {
    const start = this.#count * wordsOfEntry
    const words = this.#words
    if (typeof name === 'string') this.#names.write(name, this.#nameBytes, 'latin1')
    else this.#names.set(name, this.#nameBytes)
    this.#nameBytes += name.length
    words[start + word.type] = numbersOfTypes.get(stat.type) ?? 0
    words[start + word.mode] = stat.mode
    words[start + word.uid] = stat.uid
    words[start + word.gid] = stat.gid
    words[start + word.links] = stat.links
    words[start + word.nameEnd] = this.#nameBytes
    this.#setNumber(start + word.size, stat.size)
    this.#setNumber(start + word.allocated, stat.allocatedBytes)
    this.#pairs[(start + word.mtimeNs) / 2] = clampTimeNs(stat.mtimeNs)
    this.#pairs[(start + word.ctimeNs) / 2] = clampTimeNs(stat.ctimeNs)
    this.#pairs[(start + word.inode) / 2] = stat.inode
    this.#pairs[(start + word.device) / 2] = stat.device
    this.#count += 1
  }

  finish(problems: Problems): ListingMemory {
    return {
      words: this.#words.subarray(0, this.#count * wordsOfEntry),
      names: this.#names.subarray(0, this.#nameBytes),
      problems,
    }
  }

  #setNumber(at: number, value: number): void {
    this.#words[at] = value
    this.#words[at + 1] = Math.floor(value / 2 ** 32)
  }
}

export function packListing(entries: readonly SourceEntry[]): PackedListing {
  const packer = new ListingPacker(
    entries.length,
    entries.reduce((sum, { name }) => sum + name.length, 0),
  )
  for (const entry of entries) packer.add(entry.name, entry)
  return new PackedListing(packer.finish([]))
}
