import { expect } from 'chai'
import { createExcludes, cacheTagSignature } from '../../../../src/client/excludes.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'

describe('a backup of a source that is not quiet', () => {
  it('reports files that cannot be read and saves the rest', async () => {
    const { source, backup, entries, eventsOf } = await createBackupFixture()
    source.file('/src/a', 'a')
    source.file('/src/b', 'b').unreadable = true
    source.file('/src/c', 'c')
    const summary = await backup()
    expect([...(await entries(summary)).keys()]).to.deep.equal(['/src', '/src/a', '/src/c'])
    expect(summary).to.include({ problems: 1 })
    expect(summary.stats.errors).to.equal(1)
    expect(eventsOf('problem')).to.deep.equal([
      { type: 'problem', path: '/src/b', during: 'read', message: 'permission denied (EACCES)' },
    ])
  })

  it('saves a directory that cannot be listed as an empty one', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/src/d/hidden', 'x')
    source.directory('/src/d').unreadable = true
    const summary = await backup()
    expect([...(await entries(summary)).keys()]).to.deep.equal(['/src', '/src/d'])
    expect(summary.problems).to.equal(1)
  })

  it('reports what vanishes', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/src/1', 'x')
    source.file('/src/2', 'x')
    source.onRead = (path) => {
      if (path === '/src/1') source.remove('/src/2')
    }
    const summary = await backup()
    expect([...(await entries(summary)).keys()]).to.deep.equal(['/src', '/src/1'])
    expect(summary.problems).to.equal(1)
  })

  it('saves a file that changes while it is read, reports it, and reads it again next time', async () => {
    const { source, backup, entries, eventsOf } = await createBackupFixture()
    source.file('/src/log', 'one line')
    source.onRead = (path) => {
      if (path === '/src/log') source.file('/src/log', 'one line, and more')
    }
    const summary = await backup()
    expect(summary.problems).to.equal(1)
    expect(eventsOf('problem')[0]?.message).to.contain('changed while it was read')
    expect((await entries(summary)).get('/src/log')?.content.toString()).to.contain('one line')
    source.onRead = undefined
    source.reads.length = 0
    const again = await backup()
    expect(again.problems).to.equal(0)
    expect((await entries(again)).get('/src/log')?.content.toString()).to.equal('one line, and more')
  })

  it('saves all of a file that grows while it is read, or whose size is not told', async () => {
    const { source, random, backup, entries } = await createBackupFixture()
    const grown = random.bytes(2_000_000)
    const file = source.file('/src/growing', 'small')
    source.onRead = () => (file.content = grown)
    const summary = await backup()
    expect((await entries(summary)).get('/src/growing')?.content.equals(grown)).to.equal(true)
    expect(summary.problems).to.equal(0)
  })

  it('skips sockets, pipes and devices with a note', async () => {
    const { source, backup, entries, eventsOf } = await createBackupFixture()
    source.file('/src/a', 'a')
    source.special('/src/socket', 'socket')
    source.special('/src/pipe', 'fifo')
    source.special('/src/disk', 'block-device')
    const summary = await backup()
    expect([...(await entries(summary)).keys()]).to.deep.equal(['/src', '/src/a'])
    expect(summary.stats).to.include({ skipped: 3, errors: 0 })
    expect(eventsOf('note').map(({ message }) => message)).to.include('/src/disk is not saved: it is a block device')
  })

  it('leaves out what is excluded, and what lies in caches', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/src/a.o', 'x')
    source.file('/src/a.c', 'x')
    source.file('/src/build/x', 'x')
    source.file('/src/cache/CACHEDIR.TAG', `${cacheTagSignature}\n# comment`)
    source.file('/src/cache/big', 'x')
    source.file('/src/fake/CACHEDIR.TAG', 'no signature')
    source.file('/src/fake/kept', 'x')
    const excludes = createExcludes({ patterns: ['*.o', '/src/build'], caches: true })
    const summary = await backup({ excludes, excludePatterns: ['*.o', '/src/build'] })
    expect([...(await entries(summary)).keys()].sort()).to.deep.equal([
      '/src',
      '/src/a.c',
      '/src/cache',
      '/src/cache/CACHEDIR.TAG',
      '/src/fake',
      '/src/fake/CACHEDIR.TAG',
      '/src/fake/kept',
    ])
    expect(summary.snapshot?.manifest.excludes).to.deep.equal(['*.o', '/src/build'])
  })

  it('stays on one file system when asked to', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/src/a', 'a')
    source.file('/src/mount/b', 'b')
    source.directory('/src/mount').device = 2n
    source.node('/src/mount/b').device = 2n
    expect([...(await entries(await backup({ oneFileSystem: true }))).keys()]).to.deep.equal([
      '/src',
      '/src/a',
      '/src/mount',
    ])
    expect((await entries(await backup())).has('/src/mount/b')).to.equal(true)
  })

  it('waits for the clock to tick before it reads what has just changed', async () => {
    const { source, backup, clock } = await createBackupFixture()
    const file = source.file('/src/a', 'a')
    file.ctimeNs = BigInt(clock.nowMs() - 5) * 1_000_000n
    await backup()
    expect(clock.monotonicMs()).to.be.greaterThanOrEqual(15)
  })

  it('says how far it is, a few times a second', async () => {
    const { source, backup, clock, eventsOf } = await createBackupFixture()
    for (let number = 0; number < 100; number++) source.file(`/src/${number}`, 'content')
    source.onRead = () => clock.advance(50)
    await backup()
    const statuses = eventsOf('status')
    expect(statuses.length).to.be.within(20, 27)
    expect(statuses.at(-1)).to.include({ filesDone: 100, totalFiles: 100, bytesDone: 700, totalBytes: 700 })
    expect(statuses.some((status) => status.currentFiles.length === 1)).to.equal(true)
  })
})
