import { expect } from 'chai'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import { expectError } from '../../../support/expect-error.ts'

describe('a first backup', () => {
  it('saves files, directories, links and their metadata below their absolute path', async () => {
    const { source, backup, entries, cluster } = await createBackupFixture()
    const file = source.file('/src/a.txt', 'hello')
    file.mode = 0o4640
    source.file('/src/deep/er/b.txt', 'world')
    source.file('/src/empty', '')
    source.directory('/src/nothing in it')
    source.symlink('/src/link', '../dangling')
    source.file('/other/not.txt', 'not saved')
    const summary = await backup()
    const stored = await entries(summary)
    expect([...stored.keys()].sort()).to.deep.equal([
      '/src',
      '/src/a.txt',
      '/src/deep',
      '/src/deep/er',
      '/src/deep/er/b.txt',
      '/src/empty',
      '/src/link',
      '/src/nothing in it',
    ])
    const saved = stored.get('/src/a.txt')
    expect(saved?.content.toString()).to.equal('hello')
    expect(saved?.entry).to.include({ mode: 0o4640, uid: 1000, user: 'somebody', group: 'people', links: 1 })
    expect(saved?.entry.mtimeNs).to.equal(file.mtimeNs)
    expect(Buffer.from(stored.get('/src/link')?.entry.target ?? []).toString()).to.equal('../dangling')
    expect(summary.stats).to.include({ filesNew: 3, directories: 4, symlinks: 1, totalBytes: 10, errors: 0 })
    expect(summary.snapshot?.durability.copies).to.equal(2)
    expect(cluster.count('lookupChunks')).to.equal(0)
  })

  it('cuts large content into chunks and stores what occurs twice once', async () => {
    const { source, random, backup, entries, cluster } = await createBackupFixture()
    const large = random.bytes(23_000_001)
    source.file('/src/1', large)
    source.file('/src/2', large)
    const small = random.bytes(40_000)
    source.file('/src/small 1', small)
    source.file('/src/small 2', small)
    const summary = await backup()
    const stored = await entries(summary)
    expect(stored.get('/src/1')?.content.equals(large)).to.equal(true)
    expect(stored.get('/src/2')?.content.equals(large)).to.equal(true)
    const chunks = cluster.records('data')
    expect(chunks.reduce((sum, chunk) => sum + chunk.plainLength, 0)).to.equal(large.length + small.length)
    expect(summary.stats.chunksKnown).to.equal(chunks.length)
    expect(summary.stats.newBytes).to.equal(large.length + small.length)
    expect(cluster.packs.size).to.be.greaterThan(2)
  })

  it('keeps names as bytes: not UTF-8, newlines, 255 bytes', async () => {
    const { source, backup, entries } = await createBackupFixture()
    const names = [Buffer.from([0xff, 0xfe, 0x41]), Buffer.from('a\nb'), Buffer.alloc(255, 'x')]
    for (const name of names) source.file(Buffer.concat([Buffer.from('/src/'), name]), 'x')
    const stored = await entries(await backup())
    for (const name of names) expect(stored.has(`/src/${name.toString('latin1')}`)).to.equal(true)
  })

  it('reads a file with several names once and keeps their identity', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/src/a', 'linked content')
    source.link('/src/a', '/src/b')
    source.link('/src/a', '/src/c')
    const stored = await entries(await backup())
    const [a, b] = [stored.get('/src/a'), stored.get('/src/b')]
    expect(b?.content.toString()).to.equal('linked content')
    expect(a?.entry.links).to.equal(3)
    expect(a?.entry.inode).to.equal(b?.entry.inode)
    expect(a?.entry.device).to.equal(1n)
    expect(source.reads).to.deep.equal(['/src/a'])
  })

  it('stores long runs of zeros in sparse files as holes', async () => {
    const { source, random, backup, entries, cluster } = await createBackupFixture()
    const content = Buffer.alloc(20 * 1024 * 1024)
    content.set(random.bytes(70_000), 5 * 1024 * 1024)
    content.set(random.bytes(10), content.length - 10)
    const file = source.file('/src/sparse', content)
    file.allocatedBytes = 128 * 1024
    const stored = (await entries(await backup())).get('/src/sparse')
    expect(stored?.content.equals(content)).to.equal(true)
    expect(stored?.entry.extents.filter((extent) => extent.chunk === undefined)).to.have.length(2)
    const kept = cluster.records('data').reduce((sum, chunk) => sum + chunk.plainLength, 0)
    expect(kept).to.be.lessThan(4 * 64 * 1024)
  })

  it('splits a directory of very many entries', async () => {
    const { source, backup, entries } = await createBackupFixture()
    for (let number = 0; number < 10_000; number++) source.file(`/src/f${number}`, `content ${number % 100}`)
    const stored = await entries(await backup())
    expect(stored.size).to.equal(10_001)
    expect(stored.get('/src/f9999')?.content.toString()).to.equal('content 99')
  })

  it('merges several paths into one tree and collapses nested ones', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/a/x/1', '1')
    source.file('/a/y/2', '2')
    source.file('/b/3', '3')
    source.file('/b/4', '4')
    const paths = ['/a/x', '/a/x/1', '/b/3', '/a//x/'].map((path) => Buffer.from(path))
    const summary = await backup({ paths })
    expect([...(await entries(summary)).keys()].sort()).to.deep.equal(['/a', '/a/x', '/a/x/1', '/b', '/b/3'])
    expect(summary.snapshot?.manifest.paths.map((path) => Buffer.from(path).toString())).to.deep.equal(['/a/x', '/b/3'])
  })

  it('saves the root, a single file, and what lies behind a link on the way', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/src/only', 'me')
    source.symlink('/way', '/src')
    expect([...(await entries(await backup({ paths: [Buffer.from('/')] }))).keys()]).to.include('/src/only')
    const one = await entries(await backup({ paths: [Buffer.from('/src/only')] }))
    expect([...one.keys()]).to.deep.equal(['/src', '/src/only'])
    // The source in memory does not look through links in the middle of a path; the kind of the entry is what counts.
    const through = await entries(await backup({ paths: [Buffer.from('/way/only'), Buffer.from('/src/only')] }))
    expect(through.get('/way')?.entry.type).to.equal('directory')
  })

  it('saves the standard input as a file under the root', async () => {
    const { random, backup, entries } = await createBackupFixture()
    const pieces = [random.bytes(3_000_000), new Uint8Array(0), random.bytes(5)]
    const content = (async function* () {
      yield* pieces
    })()
    const summary = await backup({ paths: [], stdin: { name: 'dump.sql', content } })
    const stored = await entries(summary)
    expect([...stored.keys()]).to.deep.equal(['/dump.sql'])
    expect(stored.get('/dump.sql')?.content.equals(Buffer.concat(pieces))).to.equal(true)
    expect(summary.snapshot?.manifest.paths.map(String)).to.have.length(1)
  })

  it('refuses nothing to back up, relative paths, and paths none of which exists', async () => {
    const { backup, cluster } = await createBackupFixture()
    await expectError(backup({ paths: [] }), 'invalid-argument')
    await expectError(backup({ paths: [Buffer.from('relative')] }), 'invalid-argument')
    await expectError(backup({ paths: [Buffer.from('/nowhere')] }), 'not-found')
    expect(cluster.snapshots.size).to.equal(0)
    expect(cluster.count('endSession')).to.equal(1)
  })
})
