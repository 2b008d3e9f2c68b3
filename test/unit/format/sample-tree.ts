import fc from 'fast-check'
import type { ChunkId } from '../../../src/core/ids.ts'
import type { Extent, TreeEntry } from '../../../src/format/tree.ts'
import { someId } from './sample-pack.ts'

export function fileEntry(name: string | Uint8Array, changes: Partial<TreeEntry> = {}): TreeEntry {
  return {
    name: typeof name === 'string' ? Buffer.from(name) : name,
    type: 'file',
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    user: 'user',
    group: 'group',
    mtimeNs: 1_700_000_000_123_456_789n,
    ctimeNs: 0n,
    size: 0,
    inode: 5n,
    device: 2n,
    links: 1,
    extents: [],
    extentLists: [],
    target: new Uint8Array(0),
    tree: undefined,
    xattrs: [],
    ...changes,
  }
}

const anyId: fc.Arbitrary<ChunkId> = fc.nat(20).map(someId)

export const anyExtent: fc.Arbitrary<Extent> = fc.oneof(
  fc.record({
    chunk: anyId,
    chunkOffset: fc.nat(1 << 20),
    length: fc.integer({ min: 1, max: 1 << 20 }),
  }),
  fc.record({
    chunk: fc.constant(undefined),
    chunkOffset: fc.constant(0),
    length: fc.integer({ min: 1, max: 2 ** 49 }),
  }),
)

/** Any name that a file system can have, much of it no valid UTF-8. */
export const anyName: fc.Arbitrary<Uint8Array> = fc
  .uint8Array({ minLength: 1, maxLength: 255 })
  .map((name) => name.map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte)))
  .filter((name) => !['.', '..'].includes(Buffer.from(name).toString('latin1')))

const anyContent: fc.Arbitrary<Partial<TreeEntry>> = fc.oneof(
  fc.array(fc.oneof(anyExtent), { maxLength: 8 }).map((extents) => ({
    extents,
    size: extents.reduce((sum, { length }) => sum + length, 0),
  })),
  fc.array(anyId, { minLength: 1, maxLength: 4 }).map((extentLists) => ({ extentLists, size: 2 ** 41 })),
  anyId.map((tree) => ({ type: 'directory' as const, tree })),
  anyName.map((target) => ({ type: 'symlink' as const, target })),
)

const anyMetadata: fc.Arbitrary<Partial<TreeEntry>> = fc.record({
  mode: fc.nat(0o7777),
  uid: fc.nat(0xffff_ffff),
  gid: fc.nat(0xffff_ffff),
  user: fc.string(),
  group: fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  mtimeNs: fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }),
  ctimeNs: fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }),
  inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  device: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  links: fc.nat(0xffff_ffff),
  xattrs: fc.array(fc.record({ name: fc.uint8Array(), value: fc.uint8Array() }), { maxLength: 3 }),
})

const anyEntry: fc.Arbitrary<TreeEntry> = fc
  .tuple(anyName, anyMetadata, anyContent)
  .map(([name, metadata, content]) => fileEntry(name, { ...metadata, ...content }))

/** Entries sorted by name, each name once. */
export const anyEntries: fc.Arbitrary<TreeEntry[]> = fc
  .uniqueArray(anyEntry, { maxLength: 12, selector: ({ name }) => Buffer.from(name).toString('latin1') })
  .map((entries) => entries.sort((left, right) => Buffer.compare(left.name, right.name)))

/** The same with every kind of bytes as a plain Uint8Array, for comparisons. */
export function normalized<T>(value: T): T {
  if (value instanceof Uint8Array) return Uint8Array.from(value) as T
  if (Array.isArray(value)) return value.map(normalized) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normalized(inner)])) as T
}
