import { expect } from 'chai'
import fc from 'fast-check'
import { decodeTree, encodeTree } from '../../../src/format/tree.ts'
import type { RecordContent, TreeEntry } from '../../../src/format/tree.ts'
import { entryField, TreeCursor } from '../../../src/format/tree-cursor.ts'
import { someId } from './sample-pack.ts'
import { anyEntries, fileEntry } from './sample-tree.ts'

const typeNumbers = { file: 1, directory: 2, symlink: 3 }

function unsigned({ low, high }: TreeCursor, field: number): bigint {
  return (BigInt(high[field] as number) << 32n) | BigInt(low[field] as number)
}

function bytes({ low, high, plain }: TreeCursor, field: number): string {
  return Buffer.from(plain.subarray(low[field], high[field])).toString('latin1')
}

function expectEntry(cursor: TreeCursor, entry: TreeEntry): void {
  const latin1 = (text: Uint8Array | string): string => Buffer.from(text as string).toString('latin1')
  expect(bytes(cursor, entryField.name)).to.equal(latin1(entry.name))
  expect(cursor.low[entryField.type]).to.equal(typeNumbers[entry.type])
  for (const field of ['mode', 'uid', 'gid', 'links'] as const) {
    expect(cursor.low[entryField[field]], field).to.equal(entry[field])
  }
  for (const field of ['size', 'inode', 'device'] as const) {
    expect(unsigned(cursor, entryField[field]), field).to.equal(BigInt(entry[field]))
  }
  for (const field of ['mtimeNs', 'ctimeNs'] as const) {
    expect(BigInt.asIntN(64, unsigned(cursor, entryField[field])), field).to.equal(entry[field])
  }
  for (const field of ['user', 'group', 'target'] as const) {
    expect(bytes(cursor, entryField[field]), field).to.equal(latin1(entry[field]))
  }
  if (entry.tree !== undefined) expect(Buffer.from(cursor.tree).equals(entry.tree)).to.equal(true)
  expect(cursor.complete).to.equal(true)
}

/** What the cursor says of a tree: as many entries as it saw, and whether it stumbled over something. */
function walk(record: RecordContent): { entries: number; fine: boolean } {
  const cursor = new TreeCursor(record)
  let entries = 0
  let fine = true
  while (cursor.next()) {
    entries += 1
    fine = cursor.complete && fine
  }
  return { entries, fine: fine && !cursor.strange }
}

describe('a cursor over an encoded tree', () => {
  it('sees what decoding gives', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const plain = entries.filter((entry) => entry.xattrs.length === 0 && entry.extentLists.length === 0)
        const record = encodeTree({ entries: plain, parts: [] })
        const cursor = new TreeCursor(record)
        for (const entry of decodeTree(record.plain, record.refs).entries) {
          expect(cursor.next()).to.equal(true)
          expectEntry(cursor, entry)
        }
        expect(cursor.next()).to.equal(false)
        expect(cursor.strange).to.equal(false)
      }),
    )
  })

  it('finds nothing fine that decoding refuses', () => {
    const extents = [{ chunk: someId(1), chunkOffset: 5, length: 70_000 }]
    const entries = [fileEntry('a', { extents, size: 70_000 }), fileEntry('b', { mtimeNs: -5n })]
    const record = encodeTree({ entries, parts: [] })
    expect(walk(record)).to.deep.equal({ entries: 2, fine: true })
    for (let at = 0; at < record.plain.length; at++) {
      for (const bit of [1, 4, 128]) {
        const plain = Uint8Array.from(record.plain)
        plain[at] = (plain[at] as number) ^ bit
        expectSeen({ plain, refs: record.refs })
      }
      expectSeen({ plain: record.plain.subarray(0, at), refs: record.refs })
    }
    expect(walk({ plain: record.plain, refs: new Uint8Array(0) }).fine).to.equal(false)
  })

  it('leaves to decoding what is unusual', () => {
    const unusual: Partial<TreeEntry>[] = [
      { xattrs: [{ name: Buffer.from('user.x'), value: Buffer.from('y') }] },
      { extentLists: [someId(1)], size: 5 },
    ]
    for (const changes of unusual) {
      expect(walk(encodeTree({ entries: [fileEntry('a', changes)], parts: [] })).fine).to.equal(false)
    }
    expect(walk(encodeTree({ entries: [], parts: [someId(1)] })).fine).to.equal(false)
  })
})

/** The cursor leaves names, modes and types to whoever compares; the rest must be seen. */
function expectSeen(record: RecordContent): void {
  const { fine } = walk(record)
  if (!fine) return
  try {
    decodeTree(record.plain, record.refs)
  } catch (error) {
    expect((error as Error).message).to.match(/name|the mode|type|confused|content|target|out of range|newer/)
  }
}
