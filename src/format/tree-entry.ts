import { TwofoldError } from '../core/errors.ts'
import type { ChunkId } from '../core/ids.ts'
import { extentsInlineMax, nameBytesMax } from '../core/limits.ts'
import { EntryType } from '../gen/twofold/v1/format.ts'
import type { TreeEntry as StoredEntry } from '../gen/twofold/v1/format.ts'
import { readExtent, storeExtent } from './extent.ts'
import type { Extent } from './extent.ts'
import type { ReferenceCollector, ReferenceReader } from './reference-list.ts'
import { toSafeNumber } from './stored-message.ts'
import { clampTimeNs } from './time-range.ts'

/** One name in a directory; the fields are explained in `format.proto`. */
export interface TreeEntry {
  readonly name: Uint8Array
  readonly type: 'file' | 'directory' | 'symlink'
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Empty when not known. */
  readonly user: string
  readonly group: string
  /** Times beyond the years 1677 to 2262 are stored as the nearest within. */
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Of a file's content, in bytes; 0 for the others. */
  readonly size: number
  readonly inode: bigint
  readonly device: bigint
  readonly links: number
  readonly extents: readonly Extent[]
  /** Instead of `extents` for files that have more than `extentsInlineMax`. */
  readonly extentLists: readonly ChunkId[]
  /** Where a symlink points; empty for the others. */
  readonly target: Uint8Array
  /** A directory's own tree; undefined for the others. */
  readonly tree: ChunkId | undefined
  readonly xattrs: readonly { readonly name: Uint8Array; readonly value: Uint8Array }[]
}

const storedTypes = { file: EntryType.FILE, directory: EntryType.DIRECTORY, symlink: EntryType.SYMLINK } as const
const typesByNumber: readonly (TreeEntry['type'] | undefined)[] = [undefined, 'file', 'directory', 'symlink']

const slash = 0x2f
const dot = 0x2e
const permissionBits = 0o7777
/** Linux allows 4095 bytes; the margin is for other systems. */
const targetBytesMax = 65_536
const uint32Max = 0xffff_ffff
const uint64Max = 2n ** 64n - 1n

export function storeEntry(entry: TreeEntry, references: ReferenceCollector): StoredEntry {
  return {
    name: entry.name,
    type: storedTypes[entry.type],
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    user: entry.user,
    group: entry.group,
    mtimeNs: clampTimeNs(entry.mtimeNs),
    ctimeNs: clampTimeNs(entry.ctimeNs),
    size: BigInt(entry.size),
    inode: entry.inode,
    device: entry.device,
    links: entry.links,
    extents: entry.extents.map((extent) => storeExtent(extent, references)),
    extentLists: entry.extentLists.map((id) => references.refer(id)),
    target: entry.target,
    tree: entry.tree === undefined ? 0 : references.refer(entry.tree),
    xattrs: entry.xattrs.map(({ name, value }) => ({ name, value })),
  }
}

/** @throws TwofoldError `integrity` for an entry that must not be restored, `unsupported` for types of the future. */
export function readEntry(stored: StoredEntry, references: ReferenceReader): TreeEntry {
  const type = typesByNumber[stored.type]
  if (type === undefined) {
    throw new TwofoldError('unsupported', `an entry is of type ${stored.type}; a newer version may read it`)
  }
  const entry: TreeEntry = {
    name: stored.name,
    type,
    mode: stored.mode,
    uid: stored.uid,
    gid: stored.gid,
    user: stored.user,
    group: stored.group,
    mtimeNs: stored.mtimeNs,
    ctimeNs: stored.ctimeNs,
    size: toSafeNumber(stored.size, `the size of a file`),
    inode: stored.inode,
    device: stored.device,
    links: stored.links,
    extents: stored.extents.map((extent) => readExtent(extent, references)),
    extentLists: stored.extentLists.map((reference) => references.at(reference)),
    target: stored.target,
    tree: stored.tree === 0 ? undefined : references.at(stored.tree),
    xattrs: stored.xattrs,
  }
  const problem = entryProblem(entry)
  if (problem !== undefined) throw new TwofoldError('integrity', `a tree has ${problem}`)
  return entry
}

/** What is wrong with an entry, in words: a restore would leave its target or a file would not be what it says. */
export function entryProblem(entry: TreeEntry): string | undefined {
  return nameProblem(entry.name) ?? numberProblem(entry) ?? contentProblem(entry)
}

function nameProblem(name: Uint8Array): string | undefined {
  if (name.length === 0 || name.length > nameBytesMax) return `a name of ${name.length} bytes`
  if (name.includes(slash) || name.includes(0)) return 'a name with a slash or a NUL in it'
  if (name[0] === dot && (name.length === 1 || (name.length === 2 && name[1] === dot))) return 'the name . or ..'
  return undefined
}

function numberProblem(entry: TreeEntry): string | undefined {
  if (entry.mode < 0 || entry.mode > permissionBits) return `the mode 0${entry.mode.toString(8)}`
  const numbers = [entry.mode, entry.uid, entry.gid, entry.links]
  if (!numbers.every((number) => Number.isInteger(number) && number >= 0 && number <= uint32Max)) {
    return 'an owner, group or link count out of range'
  }
  if ([entry.inode, entry.device].some((id) => id < 0n || id > uint64Max)) return 'an inode or device out of range'
  return undefined
}

function contentProblem(entry: TreeEntry): string | undefined {
  const { type, size, extents, extentLists, target, tree } = entry
  if ((type === 'directory') !== (tree !== undefined)) return `a ${type} that is confused about having a tree`
  if (type !== 'file' && (size !== 0 || extents.length > 0 || extentLists.length > 0)) return `a ${type} with content`
  if (type !== 'symlink') return target.length > 0 ? `a ${type} with a link's target` : fileProblem(entry)
  if (target.length === 0 || target.length > targetBytesMax) return `a link's target of ${target.length} bytes`
  return target.includes(0) ? `a link's target with a NUL in it` : undefined
}

function fileProblem({ size, extents, extentLists }: TreeEntry): string | undefined {
  if (extents.length > extentsInlineMax) return `a file with ${extents.length} extents of its own`
  if (extentLists.length > 0) return extents.length > 0 ? 'a file with both extents and lists of them' : undefined
  const total = extents.reduce((sum, extent) => sum + extent.length, 0)
  return total === size ? undefined : `a file of ${size} bytes whose extents have ${total}`
}
