import { expect } from 'chai'
import fc from 'fast-check'
import { extentsInlineMax, extentsPerList, treeEntriesMax } from '../../../src/core/limits.ts'
import { decodeExtentList, decodeTree, encodeExtentList, encodeTree } from '../../../src/format/tree.ts'
import type { TreeEntry } from '../../../src/format/tree.ts'
import { Tree, TreeEntry as StoredEntry } from '../../../src/gen/twofold/v1/format.ts'
import { expectThrow } from '../../support/expect-error.ts'
import { someId } from './sample-pack.ts'
import { anyEntries, anyExtent, fileEntry, normalized } from './sample-tree.ts'

const none = new Uint8Array(0)

/** A tree's body as somebody else might write it, with the rules of the encoder out of the way. */
function forgedTree(...entries: Partial<StoredEntry>[]): Uint8Array {
  return Tree.encode({
    entries: entries.map((entry) => ({ ...StoredEntry.create(), name: Buffer.from('a'), type: 1, ...entry })),
    parts: [],
  }).finish()
}

describe('tree', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const { plain, refs } = encodeTree({ entries, parts: [] })
        expect(normalized(decodeTree(plain, refs))).to.deep.equal(normalized({ entries, parts: [] }))
      }),
    )
  })

  it('stores times beyond 64 bits as the nearest within', () => {
    const times = { mtimeNs: 13_569_465_600_000_000_000n, ctimeNs: -(2n ** 70n) }
    const { plain, refs } = encodeTree({ entries: [fileEntry('from the year 2400', times)], parts: [] })
    const [entry] = decodeTree(plain, refs).entries
    expect([entry?.mtimeNs, entry?.ctimeNs]).to.deep.equal([2n ** 63n - 1n, -(2n ** 63n) + 1n])
  })

  it('lists its parts', () => {
    const parts = [someId(3), someId(1), someId(2)]
    const { plain, refs } = encodeTree({ entries: [], parts })
    expect(normalized(decodeTree(plain, refs))).to.deep.equal({ entries: [], parts: normalized(parts) })
  })

  it('names each chunk once, in the order of first use', () => {
    const extents = [5, 3, 5].map((fill) => ({ chunk: someId(fill), chunkOffset: 0, length: 1 }))
    const entries = [fileEntry('a', { extents, size: 3 }), fileEntry('b', { type: 'directory', tree: someId(3) })]
    const { refs } = encodeTree({ entries, parts: [] })
    expect(Buffer.from(refs).equals(Buffer.concat([someId(5), someId(3)]))).to.equal(true)
  })

  it('an empty directory is an empty body', () => {
    expect(encodeTree({ entries: [], parts: [] })).to.deep.equal({ plain: none, refs: none })
    expect(decodeTree(none, none)).to.deep.equal({ entries: [], parts: [] })
  })

  it('refuses names that a restore must not create', () => {
    const names = ['', '.', '..', '/', 'a/b', '../x', '/etc/passwd', 'a\0', '\0', 'x'.repeat(256)]
    for (const name of names.map((text) => Buffer.from(text))) {
      expectThrow(() => decodeTree(forgedTree({ name }), none), 'integrity')
      expectThrow(() => encodeTree({ entries: [fileEntry(name)], parts: [] }), 'invalid-argument')
    }
    for (const name of ['...', '..a', ' ', '\\', '-rf', '\n', 'x'.repeat(255)]) {
      decodeTree(forgedTree({ name: Buffer.from(name) }), none)
    }
  })

  it('refuses names out of order and names twice', () => {
    const entry = (name: string) => ({ name: Buffer.from(name) })
    expectThrow(() => decodeTree(forgedTree(entry('b'), entry('a')), none), 'integrity')
    expectThrow(() => decodeTree(forgedTree(entry('a'), entry('a')), none), 'integrity')
    decodeTree(forgedTree(entry('a'), entry('a\x01'), entry('b')), none)
  })

  it('refuses entries whose content is not what their type allows', () => {
    const refs = someId(1)
    const extent = { ref: 1, chunkOffset: 0, length: 1n }
    const target = Buffer.from('t')
    const bad: Partial<StoredEntry>[] = [
      { size: 1n },
      { size: 2n, extents: [extent] },
      { size: 1n, extents: [extent], extentLists: [1] },
      { target },
      { tree: 1 },
      { type: 2 },
      { type: 2, tree: 1, size: 1n },
      { type: 2, tree: 1, size: 1n, extents: [extent] },
      { type: 2, tree: 1, target },
      { type: 3 },
      { type: 3, target: Buffer.from('a\0b') },
      { type: 3, target, tree: 1 },
      { type: 3, target, extents: [extent], size: 1n },
      { mode: 0o10000 },
      { size: 2n ** 60n, extents: [{ ...extent, ref: 0, length: 2n ** 60n }] },
    ]
    for (const entry of bad) expectThrow(() => decodeTree(forgedTree(entry), refs), 'integrity')
    for (const type of [0, 4, 99]) expectThrow(() => decodeTree(forgedTree({ type: type as 1 }), refs), 'unsupported')
  })

  it('refuses references beyond the list and extents beyond any chunk', () => {
    const refs = someId(1)
    const extents: StoredEntry['extents'][number][] = [
      { ref: 2, chunkOffset: 0, length: 1n },
      { ref: 1, chunkOffset: 0, length: 0n },
      { ref: 1, chunkOffset: 4_294_967_295, length: 1n },
      { ref: 1, chunkOffset: 0, length: 2n ** 40n },
      { ref: 0, chunkOffset: 7, length: 1n },
    ]
    for (const extent of extents) {
      expectThrow(() => decodeTree(forgedTree({ extents: [extent], size: extent.length }), refs), 'integrity')
    }
    expectThrow(() => decodeTree(forgedTree({ type: 2, tree: 2 }), refs), 'integrity')
    expectThrow(() => decodeTree(forgedTree({ extentLists: [0], size: 1n }), refs), 'integrity')
    expectThrow(() => decodeTree(Tree.encode({ entries: [], parts: [2] }).finish(), refs), 'integrity')
    expectThrow(() => decodeTree(none, new Uint8Array(31)), 'integrity')
  })

  it('refuses a tree that has both entries and parts, or too many entries', () => {
    const both = Tree.encode({ entries: Tree.decode(forgedTree({})).entries, parts: [1] }).finish()
    expectThrow(() => decodeTree(both, someId(1)), 'integrity')
    const manyEmpty = Buffer.alloc(2 * (treeEntriesMax + 1), Buffer.from([0x0a, 0]))
    expectThrow(() => decodeTree(manyEmpty, none), 'integrity')
  })

  it('says what is wrong before it writes it', () => {
    const bad: Partial<TreeEntry>[] = [
      { size: 1 },
      { size: 1.5 },
      { mode: -1 },
      { uid: 2 ** 32 },
      { uid: 0.5 },
      { inode: -1n },
      { size: 0, extents: [{ chunk: someId(1), chunkOffset: 0, length: 0 }] },
      { size: extentsInlineMax + 1, extents: new Array(extentsInlineMax + 1).fill({ chunkOffset: 0, length: 1 }) },
    ]
    for (const changes of bad) {
      expectThrow(() => encodeTree({ entries: [fileEntry('a', changes)], parts: [] }), 'invalid-argument')
    }
    const [left, right] = [fileEntry('a'), fileEntry('b')]
    expectThrow(() => encodeTree({ entries: [right, left], parts: [] }), 'invalid-argument')
    expectThrow(() => encodeTree({ entries: [left], parts: [someId(1)] }), 'invalid-argument')
  })

  it('fails in words on any bytes', () => {
    const refs = Buffer.concat([someId(1), someId(2)])
    const sample = encodeTree({ entries: ['a', 'b', 'c'].map((name) => fileEntry(name)), parts: [] }).plain
    const changed = fc
      .tuple(fc.nat(sample.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([offset, bytes]) =>
        Buffer.concat([sample.subarray(0, offset), bytes, sample.subarray(offset + bytes.length)]),
      )
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), (bytes) => {
        try {
          decodeTree(bytes, refs)
        } catch (error) {
          expectThrow(
            () => {
              throw error
            },
            'integrity',
            'unsupported',
          )
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('extent list', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(anyExtent, { maxLength: 30 }), (extents) => {
        const { plain, refs } = encodeExtentList(extents)
        expect(normalized(decodeExtentList(plain, refs))).to.deep.equal(normalized(extents))
      }),
    )
  })

  it('has at most so many extents', () => {
    const extents = new Array(extentsPerList + 1).fill({ chunk: undefined, chunkOffset: 0, length: 1 })
    expectThrow(() => encodeExtentList(extents), 'invalid-argument')
    const { plain, refs } = encodeExtentList(extents.slice(1))
    expect(decodeExtentList(plain, refs).length).to.equal(extentsPerList)
    const extent = plain.subarray(0, plain.length / extentsPerList)
    expectThrow(() => decodeExtentList(Buffer.concat([plain, extent]), refs), 'integrity')
  })

  it('cannot be taken for a tree, nor a tree for an extent list', () => {
    const list = encodeExtentList([{ chunk: someId(1), chunkOffset: 0, length: 1 }])
    expectThrow(() => decodeTree(list.plain, list.refs), 'integrity', 'unsupported')
    const tree = encodeTree({ entries: [fileEntry('a', { type: 'directory', tree: someId(1) })], parts: [] })
    expectThrow(() => decodeExtentList(tree.plain, tree.refs), 'integrity')
  })
})
