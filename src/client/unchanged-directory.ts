import { asBuffer } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { entryField, TreeCursor } from '../format/tree-cursor.ts'
import type { RecordContent } from '../format/tree.ts'
import type { PackedListing } from './packed-listing.ts'
import { word } from './packed-listing.ts'
import type { SourceTree } from './source-tree.ts'

/** What a directory is in which nothing changed, as far as a listing can tell. */
export interface UnchangedDirectory {
  readonly files: number
  readonly bytes: number
  /** Its directories, with the trees that the parent has of them. `index` counts the entries. */
  readonly directories: readonly { readonly index: number; readonly tree: ChunkId }[]
  /** Its symbolic links, with where they pointed. */
  readonly links: readonly { readonly index: number; readonly target: Uint8Array }[]
}

const file = 1
const directory = 2
const symlink = 3
/** Fields that are stored as the source says them, and where a listing has them. */
const alike: readonly (readonly [field: number, which: number])[] = [
  [entryField.type, word.type],
  [entryField.mode, word.mode],
  [entryField.uid, word.uid],
  [entryField.gid, word.gid],
]
const alikePairs: readonly (readonly [field: number, which: number])[] = [
  [entryField.mtimeNs, word.mtimeNs],
  [entryField.ctimeNs, word.ctimeNs],
  [entryField.inode, word.inode],
]

/**
 * Compares a listing with the encoded trees of the same directory in the parent snapshot, in place: an object for each
 * entry of both would cost more than all else in a backup in which little changed. Undefined when anything differs or
 * is unusual: then the entries must be looked at one by one.
 */
export function compareDirectory(
  listing: PackedListing,
  trees: readonly RecordContent[],
  source: SourceTree,
): UnchangedDirectory | undefined {
  const comparison = new Comparison(listing, source)
  let index = 0
  for (const tree of trees) {
    const cursor = new TreeCursor(tree)
    for (; cursor.next(); index++) if (index >= listing.count || !comparison.isSame(index, cursor)) return undefined
    if (cursor.strange) return undefined
  }
  return index === listing.count ? comparison : undefined
}

/** Whether all entries are on this file system, if it matters. */
export function isOnDevice(listing: PackedListing, device: bigint | undefined): boolean {
  if (device === undefined) return true
  for (let index = 0; index < listing.count; index++) if (listing.device(index) !== device) return false
  return true
}

class Comparison implements UnchangedDirectory {
  files = 0
  bytes = 0
  readonly directories: { index: number; tree: ChunkId }[] = []
  readonly links: { index: number; target: Uint8Array }[] = []
  readonly #listing: PackedListing
  readonly #names: Buffer
  readonly #user: AccountName
  readonly #group: AccountName

  constructor(listing: PackedListing, source: SourceTree) {
    this.#listing = listing
    this.#names = asBuffer(listing.memory.names)
    this.#user = new AccountName((id) => source.userName(id))
    this.#group = new AccountName((id) => source.groupName(id))
  }

  isSame(index: number, cursor: TreeCursor): boolean {
    const { low } = cursor
    for (const [field, which] of alike) if (low[field] !== this.#listing.at(index, which)) return false
    for (const [field, which] of alikePairs) if (!this.#isPair(index, which, cursor, field)) return false
    return (
      this.#isName(index, cursor) &&
      this.#user.is(low[entryField.uid] as number, cursor, entryField.user) &&
      this.#group.is(low[entryField.gid] as number, cursor, entryField.group) &&
      cursor.complete &&
      this.#isContent(index, cursor)
    )
  }

  #isPair(index: number, which: number, { low, high }: TreeCursor, field: number): boolean {
    return low[field] === this.#listing.at(index, which) && high[field] === this.#listing.at(index, which + 1)
  }

  #isName(index: number, { low, high, plain }: TreeCursor): boolean {
    const start = this.#listing.nameStart(index)
    const end = this.#listing.at(index, word.nameEnd)
    const from = low[entryField.name] as number
    const to = high[entryField.name] as number
    return end - start === to - from && this.#names.compare(plain, from, to, start, end) === 0
  }

  #isContent(index: number, cursor: TreeCursor): boolean {
    const { low, high } = cursor
    const targetStart = low[entryField.target] as number
    const targetEnd = high[entryField.target] as number
    const type = low[entryField.type] as number
    if (type === file) return targetEnd === targetStart && this.#isFile(index, cursor)
    const plain = low[entryField.links] === 0 && isZero(cursor, entryField.size) && isZero(cursor, entryField.device)
    if (!plain) return false
    if (type === directory && targetEnd === targetStart) this.directories.push({ index, tree: cursor.tree })
    else if (type === symlink) this.links.push({ index, target: cursor.plain.subarray(targetStart, targetEnd) })
    else return false
    return true
  }

  #isFile(index: number, cursor: TreeCursor): boolean {
    const links = this.#listing.at(index, word.links)
    if (cursor.low[entryField.links] !== links || !this.#isPair(index, word.size, cursor, entryField.size)) return false
    this.files += 1
    this.bytes += this.#listing.size(index)
    return links > 1 ? this.#isPair(index, word.device, cursor, entryField.device) : isZero(cursor, entryField.device)
  }
}

function isZero({ low, high }: TreeCursor, field: number): boolean {
  return low[field] === 0 && high[field] === 0
}

/** Compares names of users or groups with the one of a number; neighbours mostly have the same one. */
class AccountName {
  readonly #nameOf: (id: number) => string
  #id = -1
  #name = Buffer.alloc(0)

  constructor(nameOf: (id: number) => string) {
    this.#nameOf = nameOf
  }

  is(id: number, { low, high, plain }: TreeCursor, field: number): boolean {
    if (id !== this.#id) {
      this.#id = id
      this.#name = Buffer.from(this.#nameOf(id))
    }
    const start = low[field] as number
    const end = high[field] as number
    return end - start === this.#name.length && this.#name.compare(plain, start, end) === 0
  }
}
