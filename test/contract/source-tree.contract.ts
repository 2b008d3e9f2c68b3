import { expect } from 'chai'
import type { SourceTree } from '../../src/client/source-tree.ts'
import { joinPath } from '../../src/client/source-tree.ts'
import { expectError } from '../support/expect-error.ts'

/** Makes things below a directory of its own; names are relative, `/` between their parts. */
export interface SourceStage {
  readonly source: SourceTree
  /** The directory, absolute. */
  readonly root: Uint8Array
  directory(path: string | Uint8Array): void
  file(path: string | Uint8Array, content: Uint8Array): void
  symlink(path: string, target: string): void
  link(existing: string, path: string): void
  fifo(path: string): void
  close(): void
}

/** What every `SourceTree` must do. */
export function sourceTreeContract(name: string, open: () => SourceStage): void {
  describe(`${name} as a source of backups`, () => {
    let stage: SourceStage
    const at = (path: string): Buffer => joinPath(stage.root, Buffer.from(path))

    beforeEach(() => (stage = open()))
    afterEach(() => stage.close())

    it('says what a path is, and looks through a link only when asked to', async () => {
      stage.directory('dir')
      stage.file('dir/file', Buffer.from('content'))
      stage.symlink('link', Buffer.from(at('dir')).toString())
      expect(await stage.source.stat(at('dir/file'))).to.include({ type: 'file', size: 7, links: 1 })
      expect((await stage.source.stat(at('dir/file'))).mode).to.be.lessThan(0o10000)
      expect((await stage.source.stat(at('dir'))).type).to.equal('directory')
      expect((await stage.source.stat(at('link'))).type).to.equal('symlink')
      expect((await stage.source.stat(at('link'), { follow: true })).type).to.equal('directory')
    })

    it('lists a directory sorted by the bytes of the names, whatever they are', async () => {
      const names = [
        Buffer.from('b'),
        Buffer.from([0xff, 0x80]),
        Buffer.from('a\nb'),
        Buffer.from('ä'),
        Buffer.from('B'),
      ]
      for (const name of names) stage.file(name, Buffer.from('x'))
      const { entries, problems } = await stage.source.list(stage.root)
      const expected = [...names].sort((a, b) => Buffer.compare(a, b)).map((name) => name.toString('hex'))
      expect(entries.map((entry) => Buffer.from(entry.name).toString('hex'))).to.deep.equal(expected)
      expect(problems).to.deep.equal([])
    })

    it('tells the kinds of entries, also without following links', async () => {
      stage.directory('1')
      stage.file('2', Buffer.from('x'))
      stage.symlink('3', 'nowhere')
      stage.fifo('4')
      const { entries } = await stage.source.list(stage.root)
      expect(entries.map(({ type }) => type)).to.deep.equal(['directory', 'file', 'symlink', 'fifo'])
      expect((await stage.source.list(at('1'))).entries).to.deep.equal([])
    })

    it('gives names of one file the same identity, and counts them', async () => {
      stage.file('a', Buffer.from('x'))
      stage.link('a', 'b')
      const [a, b] = (await stage.source.list(stage.root)).entries
      expect(a?.inode).to.equal(b?.inode)
      expect(a?.device).to.equal(b?.device)
      expect(a?.links).to.equal(2)
    })

    it('says not-found of what is not there, and of what lies below a file', async () => {
      stage.file('file', Buffer.from('x'))
      for (const path of ['nothing', 'file/below', 'no/way']) {
        await expectError(stage.source.stat(at(path)), 'not-found')
        await expectError(stage.source.list(at(path)), 'not-found')
        await expectError(stage.source.readSmall(at(path), Buffer.alloc(1)), 'not-found')
        await expectError(stage.source.open(at(path)), 'not-found')
        await expectError(stage.source.readLink(at(path)), 'not-found')
      }
      await expectError(stage.source.list(at('file')), 'not-found')
    })

    it('reads where links point, and refuses to do so for others', async () => {
      stage.symlink('link', '../any where')
      stage.file('file', Buffer.from('x'))
      expect(Buffer.from(await stage.source.readLink(at('link'))).toString()).to.equal('../any where')
      await expectError(stage.source.readLink(at('file')), 'io')
    })

    it('reads a small file at once, no more than there is room for', async () => {
      stage.file('file', Buffer.from('content'))
      const target = Buffer.alloc(10, '.')
      const read = await stage.source.readSmall(at('file'), target)
      expect(read.length).to.equal(7)
      expect(target.toString()).to.equal('content...')
      expect(read.before).to.include({ type: 'file', size: 7 })
      expect(read.after.mtimeNs).to.equal(read.before.mtimeNs)
      expect((await stage.source.readSmall(at('file'), Buffer.alloc(3))).length).to.equal(3)
    })

    it('reads an open file at any offset, to its end', async () => {
      const content = Buffer.alloc(300_000, 'abcdefg')
      stage.file('file', content)
      const file = await stage.source.open(at('file'))
      const target = Buffer.alloc(content.length)
      let length = 0
      for (;;) {
        const read = await file.read(target.subarray(length, length + 70_000), length)
        if (read === 0) break
        length += read
      }
      expect(length).to.equal(content.length)
      expect(target.equals(content)).to.equal(true)
      expect((await file.stat()).size).to.equal(content.length)
      await file.close()
    })

    it('opens regular files only', async () => {
      stage.directory('dir')
      stage.symlink('link', 'file')
      stage.file('file', Buffer.from('x'))
      for (const path of ['dir', 'link']) {
        await expectError(stage.source.open(at(path)), 'io')
        await expectError(stage.source.readSmall(at(path), Buffer.alloc(1)), 'io')
      }
    })
  })
}
