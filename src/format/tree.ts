import { BinaryReader } from '@bufbuild/protobuf/wire'
import { crc32 } from 'node:zlib'
import { TwofoldError } from '../core/errors.ts'
import { asBuffer, chunkIdBytes } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { treeBytesTarget, treeEntriesAverage, treeEntriesMax } from '../core/limits.ts'
import { Tree } from '../gen/twofold/v1/format.ts'
import { extentProblem } from './extent.ts'
import type { RecordContent } from './extent.ts'
import { ReferenceCollector, ReferenceReader } from './reference-list.ts'
import { decodeStored } from './stored-message.ts'
import { entryProblem, readEntry, storeEntry } from './tree-entry.ts'
import type { TreeEntry } from './tree-entry.ts'

export { decodeExtentList, encodeExtentList } from './extent.ts'
export type { Extent, RecordContent } from './extent.ts'
export type { TreeEntry } from './tree-entry.ts'

/** The listing of a directory: its entries, or, when it is too large for one record, the ids of its parts. */
export interface TreeNode {
  /** Sorted by the bytes of their names. */
  readonly entries: readonly TreeEntry[]
  /** Trees whose entries, one after the other, are the directory's. Then `entries` is empty. */
  readonly parts: readonly ChunkId[]
}

/**
 * The references come in the order of their first use: equal listings give equal bytes.
 * @throws TwofoldError `invalid-argument` for a listing that readers would refuse.
 */
export function encodeTree(node: TreeNode): RecordContent {
  const problem =
    nodeProblem(node) ??
    firstProblem(node.entries, (entry) => entryProblem(entry) ?? firstProblem(entry.extents, extentProblem))
  if (problem !== undefined) throw new TwofoldError('invalid-argument', `cannot store a tree with ${problem}`)
  const references = new ReferenceCollector()
  const plain = Tree.encode({
    entries: node.entries.map((entry) => storeEntry(entry, references)),
    parts: node.parts.map((id) => references.refer(id)),
  }).finish()
  return { plain, refs: references.encode() }
}

/**
 * Ids share memory with `refs`, names, targets and extended attributes with `plain`: what is kept for long is copied.
 * @throws TwofoldError `integrity` for a listing that must not be restored, `unsupported` for entries of the future.
 */
export function decodeTree(plain: Uint8Array, refs: Uint8Array): TreeNode {
  const references = new ReferenceReader(refs)
  checkEntryCount(plain)
  const stored = decodeStored(Tree, plain, 'a tree')
  const node: TreeNode = {
    entries: stored.entries.map((entry) => readEntry(entry, references)),
    parts: stored.parts.map((reference) => references.at(reference)),
  }
  const problem = nodeProblem(node)
  if (problem !== undefined) throw new TwofoldError('integrity', `a tree has ${problem}`)
  return node
}

/** The ids of a tree's parts, without decoding its entries. @throws TwofoldError `integrity` */
export function treeParts({ plain, refs }: RecordContent): ChunkId[] {
  const entriesAhead = plain.length > 0 && plain[0] === entriesTag
  return entriesAhead ? [] : [...decodeTree(plain, refs).parts]
}

/** What an encoded tree with entries begins with; one that has both entries and parts is refused when it is decoded. */
const entriesTag = (1 << 3) | 2

/**
 * Cuts a directory's entries into parts of about `treeEntriesAverage`, so that each fits a record and one new name
 * changes one part only. Always at least one part; one part means the directory needs no list of parts.
 */
export function splitEntries(sorted: readonly TreeEntry[]): TreeEntry[][] {
  const parts: TreeEntry[][] = []
  let part: TreeEntry[] = []
  let bytes = 0
  for (const entry of sorted) {
    const length = storedBytesOf(entry)
    if (part.length >= treeEntriesMax || (part.length > 0 && bytes + length > treeBytesTarget)) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(entry)
    bytes += length
    if (part.length >= partEntriesMin && endsPart(entry.name)) {
      parts.push(part)
      part = []
      bytes = 0
    }
  }
  if (part.length > 0 || parts.length === 0) parts.push(part)
  return parts
}

const partEntriesMin = treeEntriesAverage / 4

/** Decided by the name alone. The product stirs the checksum, because those of similar names are similar. */
function endsPart(name: Uint8Array): boolean {
  return Math.imul(crc32(name), 0x9e3779b1) >>> 0 < 2 ** 32 / treeEntriesAverage
}

/** At most so many bytes of body and references; a little more than the truth. */
function storedBytesOf(entry: TreeEntry): number {
  const xattrs = entry.xattrs.reduce((sum, { name, value }) => sum + name.length + value.length + 12, 0)
  const names = entry.name.length + entry.target.length + 3 * (entry.user.length + entry.group.length)
  return (
    112 + names + xattrs + entry.extents.length * (24 + chunkIdBytes) + entry.extentLists.length * (5 + chunkIdBytes)
  )
}

function nodeProblem({ entries, parts }: TreeNode): string | undefined {
  if (entries.length > 0 && parts.length > 0) return 'both entries and parts'
  if (entries.length > treeEntriesMax) return `${entries.length} entries in one part`
  let previous: Uint8Array | undefined
  for (const { name } of entries) {
    const order = previous === undefined ? -1 : asBuffer(previous).compare(name)
    if (order === 0) return 'a name twice'
    if (order > 0) return 'names out of order'
    previous = name
  }
  return undefined
}

/** Counts the entries before any is decoded: a short body of empty entries would otherwise fill the memory. */
function checkEntryCount(plain: Uint8Array): void {
  const reader = new BinaryReader(plain)
  let entries = 0
  try {
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag()
      if (field === 1) entries++
      reader.skip(wireType, field)
    }
  } catch (error) {
    throw new TwofoldError('integrity', 'a tree is malformed', { cause: error })
  }
  if (entries > treeEntriesMax) throw new TwofoldError('integrity', `a tree has ${entries} entries in one part`)
}

function firstProblem<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const problem = check(item)
    if (problem !== undefined) return problem
  }
  return undefined
}
