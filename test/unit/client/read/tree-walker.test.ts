import { expect } from 'chai'
import { expectError } from '../../../support/expect-error.ts'
import { collect, joined, RestoreBench } from '../../../support/restore-bench.ts'

const text = (path: Uint8Array): string => Buffer.from(path).toString()

describe('what a snapshot shows', () => {
  let bench: RestoreBench
  beforeEach(async () => {
    bench = await RestoreBench.start()
  })

  const listed = async (reference = 'latest', paths?: string[], recursive = true): Promise<string[]> => {
    const entries = bench.client.list(reference, { recursive, paths: paths?.map((path) => Buffer.from(path)) })
    return (await collect(entries)).map(({ path }) => text(path))
  }

  it('lists everything in order, directories before what is in them', async () => {
    for (const path of ['/a/x/1', '/a/x/2', '/a.txt', '/b/y', '/a/z']) bench.source.file(path, 'content')
    await bench.backup()
    expect(await listed()).to.deep.equal(['/a', '/a/x', '/a/x/1', '/a/x/2', '/a/z', '/a.txt', '/b', '/b/y'])
    expect(await listed('latest:/a')).to.deep.equal(['/a/x', '/a/x/1', '/a/x/2', '/a/z'])
    expect(await listed('latest', undefined, false)).to.deep.equal(['/a', '/a.txt', '/b'])
    expect(await listed('latest', ['/b', '/a/z', 'a/x'], false)).to.deep.equal(['/b/y', '/a/z', '/a/x/1', '/a/x/2'])
    await expectError(listed('latest', ['/c']), 'not-found')
    await expectError(listed('latest', ['/a/z/deeper']), 'not-found')
  })

  it('walks wide and deep trees with few round trips', async () => {
    for (let index = 0; index < 900; index++) bench.source.file(`/wide/d${index}/e/f`, `${index}`)
    for (let index = 0; index < 12_000; index++) bench.source.file(`/flat/f${index}`, '')
    bench.source.file(`/deep/${'d/'.repeat(300)}file`, 'bottom')
    await bench.backup()
    bench.cluster.trace.length = 0
    expect(await listed()).to.have.length(3 + 900 * 3 + 12_000 + 300 + 1)
    // 1,800 directories are fetched 64 at a time; the deep ones come one by one.
    expect(bench.cluster.count('locateChunks')).to.be.below(300 + 60)
  })

  it('reads a tree that occurs in many places each time', async () => {
    for (const name of ['a', 'b', 'c']) {
      const node = bench.source.file(`/${name}/same/file`, 'content')
      for (const other of [node, bench.source.node(`/${name}/same`), bench.source.node(`/${name}`)]) {
        Object.assign(other, { inode: 7n, mtimeNs: 1n, ctimeNs: 1n })
      }
    }
    await bench.backup()
    expect(await listed()).to.have.length(9)
  })

  it('finds names and paths by patterns in all snapshots', async () => {
    bench.source.file('/home/Notes.md', '1')
    await bench.backup()
    bench.source.file('/home/deep/notes.md', '2')
    await bench.backup()
    const found = async (patterns: string[], ignoreCase = false): Promise<string[]> => {
      const all = await collect(bench.client.find({ patterns, ignoreCase }))
      return all.map(({ snapshot, entry }) => `${snapshot.manifest.parent === '' ? 1 : 2}${text(entry.path)}`)
    }
    expect(await found(['notes.*'])).to.deep.equal(['2/home/deep/notes.md'])
    expect(await found(['notes.*'], true)).to.deep.equal(['1/home/Notes.md', '2/home/Notes.md', '2/home/deep/notes.md'])
    expect(await found(['/home/*'])).to.deep.equal(['1/home/Notes.md', '2/home/Notes.md', '2/home/deep'])
    expect(await found(['deep', 'no'])).to.deep.equal(['2/home/deep'])
  })

  it('says what is different between two snapshots', async () => {
    const { source } = bench
    const paths = ['/same/file', '/gone/one', '/changed', '/read again', '/touched', '/turned']
    for (const path of paths) source.file(path, 'before')
    const first = await bench.backup()
    source.remove('/gone')
    source.remove('/turned')
    source.symlink('/turned', 'x')
    source.file('/changed', 'after!')
    source.file('/new/two', 'new')
    source.node('/touched').mode = 0o600
    source.file('/read again', 'before')
    const second = await bench.backup()
    const changes = await collect(bench.client.diff(first.snapshot!.id, second.snapshot!.id))
    expect(changes.map(({ change, path }) => `${change} ${text(path)}`)).to.deep.equal([
      'M /changed',
      '- /gone',
      '- /gone/one',
      '+ /new',
      '+ /new/two',
      'U /read again',
      'U /touched',
      'T /turned',
    ])
    bench.cluster.trace.length = 0
    expect(await collect(bench.client.diff('latest', 'latest'))).to.deep.equal([])
    expect(bench.cluster.count('read')).to.equal(0)
  })

  it('counts what a snapshot holds and takes', async () => {
    bench.source.file('/a/file', bench.content(100_000))
    bench.source.symlink('/a/link', 'x')
    await bench.backup()
    const one = await bench.client.stats('latest')
    expect(one).to.include({ snapshots: 1, files: 1, symlinks: 1, restoreBytes: 100_000 })
    expect(one.packBytes).to.be.within(100_000, 110_000)
    expect(one.storedBytes).to.equal(2 * one.packBytes)
    await bench.backup()
    expect(await bench.client.stats()).to.include({ snapshots: 2, restoreBytes: 200_000 })
  })

  it('dumps a file as it is', async () => {
    const content = bench.content(20_000_000)
    bench.source.file('/dir/file', content)
    bench.source.symlink('/link', 'dir')
    await bench.backup()
    const { kind, content: dumped } = await bench.client.dump('latest', Buffer.from('/dir/file'))
    expect(kind).to.equal('file')
    const pieces = await collect(dumped)
    expect(Buffer.concat(pieces).equals(content)).to.equal(true)
    expect(Math.max(...pieces.map((piece) => piece.length))).to.be.at.most(1024 * 1024)
    await expectError(bench.client.dump('latest', Buffer.from('/link')), 'invalid-argument')
  })

  it('stops reading ahead when the reader of a file leaves', async () => {
    bench.source.file('/file', bench.content(60_000_000))
    await bench.backup()
    bench.cluster.trace.length = 0
    const { content } = await bench.client.dump('latest', Buffer.from('/file'))
    for await (const piece of content) if (piece.length > 0) break
    expect(bench.cluster.count('read')).to.be.below(5)
  })

  it('keeps versions of named files', async () => {
    const put = async (content: string): Promise<number> => {
      const stream = (async function* () {
        yield Buffer.from(content)
      })()
      return (await bench.client.putFile({ name: 'dir/file' }, stream)).version
    }
    expect(await put('first')).to.equal(1)
    expect(await put('second')).to.equal(2)
    const get = async (version?: number): Promise<string> => {
      return (await joined((await bench.client.getFile({ name: 'dir/file', version })).content)).toString()
    }
    expect(await get()).to.equal('second')
    expect(await get(1)).to.equal('first')
    expect(
      (await bench.client.listFiles()).items.map(({ version, lengthBytes }) => [version, lengthBytes]),
    ).to.deep.equal([[2, 6]])
    await expectError(get(9), 'not-found')
    expect((await bench.client.deleteFile({ name: 'dir/file' })).deleted).to.equal(true)
    await expectError(get(), 'not-found')
    expect(await get(2)).to.equal('second')
    expect((await bench.client.fileHistory({ name: 'dir/file' })).items.map(({ deleted }) => deleted)).to.deep.equal([
      true,
      false,
      false,
    ])
    await expectError(bench.client.getFile({ name: 'other' }), 'not-found')
  })
})
