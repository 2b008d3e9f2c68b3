import { expect } from 'chai'
import { treeBytesTarget, treeEntriesAverage, treeEntriesMax } from '../../../src/core/limits.ts'
import { encodeTree, splitEntries } from '../../../src/format/tree.ts'
import type { TreeEntry } from '../../../src/format/tree.ts'
import { someId } from './sample-pack.ts'
import { fileEntry } from './sample-tree.ts'

const numbered = (count: number, changes: Partial<TreeEntry> = {}): TreeEntry[] =>
  Array.from({ length: count }, (_, index) => fileEntry(`IMG_${String(index).padStart(7, '0')}.jpg`, changes))

const firstNames = (parts: TreeEntry[][]) => parts.map((part) => Buffer.from(part[0]!.name).toString())

describe('splitting a directory', () => {
  it('leaves small ones whole', () => {
    expect(splitEntries([])).to.deep.equal([[]])
    const few = numbered(300)
    expect(splitEntries(few)).to.deep.equal([few])
  })

  it('loses nothing and keeps to the limits', () => {
    const extents = Array.from({ length: 40 }, (_, fill) => ({ chunk: someId(fill), chunkOffset: 0, length: 1 }))
    for (const entries of [numbered(60_000), numbered(3000, { extents, size: 40 })]) {
      const parts = splitEntries(entries)
      expect(parts.flat()).to.deep.equal(entries)
      for (const part of parts) {
        expect(part.length).to.be.within(1, treeEntriesMax)
        const { plain, refs } = encodeTree({ entries: part, parts: [] })
        expect(plain.length + refs.length).to.be.at.most(treeBytesTarget)
      }
    }
  })

  it('makes parts of about the average size, also of names that differ little', () => {
    const parts = splitEntries(numbered(100_000))
    expect(100_000 / parts.length).to.be.within(treeEntriesAverage * 0.6, treeEntriesAverage * 2)
  })

  it('changes one part, or two, for one new name', () => {
    const entries = numbered(40_000)
    const before = firstNames(splitEntries(entries))
    const more = [...entries.slice(0, 20_000), fileEntry('IMG_0019999.jpg~'), ...entries.slice(20_000)]
    const after = firstNames(splitEntries(more))
    expect(before.length).to.be.greaterThan(8)
    expect(after.filter((name) => !before.includes(name)).length).to.be.at.most(1)
  })

  it('gives an entry too large for its part a part of its own', () => {
    const xattrs = [{ name: Buffer.from('user.x'), value: new Uint8Array(treeBytesTarget) }]
    const [a, b, c] = [fileEntry('a'), fileEntry('b', { xattrs }), fileEntry('c')]
    expect(splitEntries([a, b, c])).to.deep.equal([[a], [b], [c]])
  })
})
