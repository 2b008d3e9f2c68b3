import { expect } from 'chai'
import type { ChunkId } from '../../../../src/core/ids.ts'
import { makeEntry } from '../../../../src/client/entry-maker.ts'
import { packListing } from '../../../../src/client/packed-listing.ts'
import type { SourceEntry } from '../../../../src/client/source-tree.ts'
import { compareDirectory, isOnDevice } from '../../../../src/client/unchanged-directory.ts'
import { encodeTree } from '../../../../src/format/tree.ts'
import type { TreeEntry } from '../../../../src/format/tree.ts'
import { MemorySource } from '../../../support/memory-source.ts'

const source = new MemorySource()
const chunk = Buffer.alloc(32, 1) as unknown as ChunkId
const tree = Buffer.alloc(32, 2) as unknown as ChunkId
const entryOf = (name: string, changes: Partial<SourceEntry> = {}): SourceEntry => ({
  name: Buffer.from(name, 'latin1'),
  type: 'file',
  mode: 0o644,
  uid: 1000,
  gid: 1000,
  size: 10,
  allocatedBytes: 4096,
  mtimeNs: 1_700_000_000_123_456_789n,
  ctimeNs: -1n,
  inode: 2n ** 63n + 5n,
  device: 7n,
  links: 1,
  ...changes,
})

const listed = [
  entryOf('a'),
  entryOf('b', { links: 2 }),
  entryOf('c', { type: 'directory', size: 4096, links: 5 }),
  entryOf('d\xff', { type: 'symlink', size: 6 }),
]

function storedOf(stat: SourceEntry): TreeEntry {
  const { type, size } = stat
  if (type === 'directory') return { ...makeEntry(source, stat.name, { stat, type }), tree }
  if (type === 'symlink') return makeEntry(source, stat.name, { stat, type, target: Buffer.from('target') })
  const content = { size, extents: [{ chunk, chunkOffset: 0, length: size }], extentLists: [] }
  return makeEntry(source, stat.name, { stat, type: 'file', content })
}

const parts = (...all: TreeEntry[][]) => all.map((entries) => encodeTree({ entries, parts: [] }))
const stored = listed.map(storedOf)

describe('a directory compared in place', () => {
  it('is unchanged when all is as it was, and says what is in it', () => {
    const same = compareDirectory(packListing(listed), parts(stored), source)
    expect(same).to.include({ files: 2, bytes: 20 })
    expect(same?.directories.map(({ index, tree }) => [index, Buffer.from(tree).toString('hex')])).to.deep.equal([
      [2, '02'.repeat(32)],
    ])
    expect(same?.links.map(({ index, target }) => [index, Buffer.from(target).toString()])).to.deep.equal([
      [3, 'target'],
    ])
  })

  it('is unchanged over several parts, and when it is empty', () => {
    expect(compareDirectory(packListing(listed), parts(stored.slice(0, 1), stored.slice(1)), source)).to.include({
      files: 2,
    })
    expect(compareDirectory(packListing([]), parts([]), source)).to.include({ files: 0 })
  })

  const changes: Partial<SourceEntry>[] = [
    { name: Buffer.from('A') },
    { name: Buffer.from('') },
    { type: 'fifo' },
    { mode: 0o600 },
    { uid: 0 },
    { gid: 5 },
    { size: 11 },
    { size: 2 ** 32 + 10 },
    { mtimeNs: 1_700_000_000_123_456_788n },
    { mtimeNs: 1_700_000_000_123_456_789n + 2n ** 32n },
    { ctimeNs: 1n },
    { inode: 5n },
    { links: 3 },
  ]
  for (const change of changes) {
    const words = Object.entries(change).map(([field, value]) => `${field} is ${String(value)}`)
    it(`is changed when the ${words.join()}`, () => {
      for (const [index, entry] of listed.entries()) {
        if ('size' in change && entry.type !== 'file') continue
        if ('links' in change && entry.type !== 'file') continue
        const now = listed.with(index, { ...entry, ...change })
        expect(compareDirectory(packListing(now), parts(stored), source), `entry ${index}`).to.equal(undefined)
      }
    })
  }

  it('is changed when a hard link is on another device, a name of an account changed, or entries came or went', () => {
    const moved = listed.with(1, entryOf('b', { links: 2, device: 8n }))
    expect(compareDirectory(packListing(moved), parts(stored), source)).to.equal(undefined)
    const renamed = stored.with(0, { ...(stored[0] as TreeEntry), user: 'else' })
    expect(compareDirectory(packListing(listed), parts(renamed), source)).to.equal(undefined)
    const regrouped = stored.with(0, { ...(stored[0] as TreeEntry), group: '' })
    expect(compareDirectory(packListing(listed), parts(regrouped), source)).to.equal(undefined)
    expect(compareDirectory(packListing(listed.slice(1)), parts(stored), source)).to.equal(undefined)
    expect(compareDirectory(packListing(listed.slice(0, 3)), parts(stored), source)).to.equal(undefined)
    expect(compareDirectory(packListing(listed), parts(stored.slice(0, 3)), source)).to.equal(undefined)
  })

  it('knows whether all of it is on one file system', () => {
    expect(isOnDevice(packListing(listed), undefined)).to.equal(true)
    expect(isOnDevice(packListing(listed), 7n)).to.equal(true)
    expect(isOnDevice(packListing([...listed, entryOf('e', { device: 8n })]), 7n)).to.equal(false)
  })

  it('packs entries without loss; times are the nearest that can be stored', () => {
    expect(packListing(listed).entries).to.deep.equal(listed.map((entry) => ({ ...entry, name: entry.name })))
    const far = packListing([entryOf('far', { mtimeNs: 2n ** 70n, size: 2 ** 52 + 1 })]).entries[0]
    expect(far).to.include({ mtimeNs: 2n ** 63n - 1n, size: 2 ** 52 + 1 })
  })
})
