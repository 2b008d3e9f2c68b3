import { expect } from 'chai'
import { createBackupFixture } from '../../../support/backup-fixture.ts'

describe('a backup with a parent', () => {
  it('reads nothing and stores only the snapshot itself when nothing changed', async () => {
    const { source, random, backup, entries, cluster } = await createBackupFixture()
    for (let number = 0; number < 300; number++) source.file(`/src/d${number}/f`, random.bytes(100))
    const first = await backup()
    source.reads.length = 0
    cluster.trace.length = 0
    const packs = cluster.packs.size
    const second = await backup()
    expect(source.reads).to.deep.equal([])
    expect(cluster.packs.size).to.equal(packs + 1)
    expect([...cluster.packs.values()].at(-1)?.entries.map((entry) => entry.kind)).to.deep.equal(['snapshot'])
    expect(second.snapshot?.manifest.tree).to.deep.equal(first.snapshot?.manifest.tree)
    expect(second.parent).to.equal(first.snapshot?.id)
    expect(second.stats).to.include({ filesUnmodified: 300, filesNew: 0, readBytes: 0, newBytes: 0 })
    expect((await entries(second)).size).to.equal(601)
  })

  it('takes what the parent had for a guess, and says so when there is more', async () => {
    const { source, random, backup, eventsOf, events } = await createBackupFixture()
    source.file('/src/a', 'a')
    await backup()
    for (const name of ['b', 'c', 'd']) source.file(`/src/${name}`, random.bytes(200_000))
    events.length = 0
    let ask = (): void => undefined
    source.onRead = () => ask()
    const onAsked = (listener: () => void): (() => void) => {
      ask = listener
      return () => undefined
    }
    await backup({}, { onAsked })
    const statuses = eventsOf('status')
    const last = statuses.pop()
    expect(statuses).not.to.deep.equal([])
    for (const { open, secondsRemaining } of statuses)
      expect({ open, secondsRemaining }).to.deep.equal({
        open: true,
        secondsRemaining: undefined,
      })
    expect(last).to.include({ open: false, ended: true, bytesDone: 600_001, totalBytes: 600_001 })
  })

  it('asks for many directories at once, not for each', async () => {
    const { source, backup, cluster } = await createBackupFixture()
    for (let number = 0; number < 1000; number++) source.file(`/src/d${number}/f`, 'same')
    await backup()
    cluster.trace.length = 0
    await backup()
    expect(cluster.count('locateChunks')).to.be.lessThan(12)
    expect(cluster.count('lookupChunks')).to.be.lessThan(12)
  })

  it('reads what changed, and only that', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.file('/src/same', 'same')
    source.file('/src/other', 'before')
    source.file('/src/gone', 'gone')
    source.file('/src/turned', 'file')
    await backup()
    source.reads.length = 0
    source.file('/src/other', 'after')
    source.file('/src/new', 'new')
    source.remove('/src/gone')
    source.remove('/src/turned')
    source.file('/src/turned/into', 'a directory')
    const summary = await backup()
    expect(source.reads.sort()).to.deep.equal(['/src/new', '/src/other', '/src/turned/into'])
    expect(summary.stats).to.include({ filesNew: 2, filesChanged: 1, filesUnmodified: 1 })
    const stored = await entries(summary)
    expect(stored.get('/src/other')?.content.toString()).to.equal('after')
    expect(stored.has('/src/gone')).to.equal(false)
  })

  it('tells a file that was replaced by one of the same size and time', async () => {
    const { source, backup } = await createBackupFixture()
    const old = source.file('/src/a', 'one')
    await backup()
    source.remove('/src/a')
    const file = source.file('/src/a', 'two')
    file.mtimeNs = old.mtimeNs
    file.ctimeNs = old.ctimeNs
    source.reads.length = 0
    await backup()
    expect(source.reads).to.deep.equal(['/src/a'])
  })

  it('reads everything when forced, and stores nothing new', async () => {
    const { source, backup } = await createBackupFixture()
    source.file('/src/a', 'content')
    await backup()
    const summary = await backup({ force: true })
    expect(summary.parent).to.equal(undefined)
    expect(summary.stats).to.include({ filesNew: 1, chunksNew: 0, chunksKnown: 1 })
  })

  it('reads a file again when its chunks have lost copies', async () => {
    const { source, random, backup, entries, cluster, lose } = await createBackupFixture()
    source.file('/src/a', random.bytes(1000))
    source.file('/src/b', random.bytes(1000))
    const first = await backup()
    // Once the session has begun, so that the parent is taken for whole.
    cluster.faults.after = (call) => {
      if (call === 'beginBackup') lose(cluster.holders(cluster.records('data')[0]!)[0]!.name)
    }
    source.reads.length = 0
    const summary = await backup()
    expect(summary.parent).to.equal(first.snapshot?.id)
    expect(source.reads).to.deep.equal(['/src/a', '/src/b'])
    expect(summary.stats.chunksNew).to.equal(1)
    expect((await entries(summary)).get('/src/a')?.content.length).to.equal(1000)
  })

  it('makes new trees only on the way to what changed', async () => {
    const { source, backup, cluster } = await createBackupFixture()
    for (const path of ['/src/a/one', '/src/b/two']) source.file(path, 'content')
    source.symlink('/src/b/link', 'two')
    await backup()
    const trees = cluster.records('tree').length
    source.node('/src/a/one').mode = 0o600
    await backup()
    expect(cluster.records('tree')).to.have.length(trees + 3)
  })

  it('stores the tree of an unchanged directory again when it has lost a copy', async () => {
    const { source, backup, entries, cluster, lose } = await createBackupFixture()
    source.file('/src/a', 'content')
    await backup()
    const [before] = cluster.records('tree')
    cluster.faults.after = (call) => {
      if (call === 'beginBackup') lose(cluster.holders(before!)[0]!.name)
    }
    const summary = await backup()
    expect(summary.snapshot?.durability.copies).to.equal(2)
    expect((await entries(summary)).get('/src/a')?.content.toString()).to.equal('content')
  })

  it('goes on without the parts of the parent that cannot be read', async () => {
    const { source, backup, entries, cluster, eventsOf, lose } = await createBackupFixture({ nodes: 4 })
    source.file('/src/a', 'content')
    const first = await backup()
    cluster.faults.after = (call) => {
      if (call === 'beginBackup') lose(...cluster.holders(cluster.records('tree')[0]!).map(({ name }) => name))
    }
    const summary = await backup()
    expect(summary.parent).to.equal(first.snapshot?.id)
    expect(summary.stats.errors).to.equal(0)
    expect(eventsOf('note').some(({ message }) => message.includes('read again'))).to.equal(true)
    expect((await entries(summary)).get('/src/a')?.content.toString()).to.equal('content')
  })

  it('takes over directories in parts, but not when a part of one is lost', async () => {
    const { source, backup, entries, cluster, lose } = await createBackupFixture({ nodes: 4 })
    for (let number = 0; number < 9000; number++) source.file(`/src/f${number}`, 'x')
    source.symlink('/src/link', 'f1')
    const first = await backup()
    const trees = cluster.records('tree').length
    expect(trees).to.be.greaterThan(3)
    source.reads.length = 0
    const second = await backup()
    expect(second.stats).to.include({ filesUnmodified: 9000, symlinks: 1, directories: 1 })
    expect(second.snapshot?.manifest.tree).to.deep.equal(first.snapshot?.manifest.tree)
    expect(cluster.records('tree')).to.have.length(trees)
    expect(source.reads).to.deep.equal([])
    cluster.faults.after = (call) => {
      if (call === 'beginBackup') lose(...cluster.holders(cluster.records('tree')[0]!).map(({ name }) => name))
    }
    const third = await backup()
    expect(source.reads.length).to.be.greaterThan(0)
    expect((await entries(third)).size).to.equal(9002)
  })

  it('needs no threads for listing when there is no parent', async () => {
    const { source, backup } = await createBackupFixture()
    source.file('/src/a', 'content')
    let given = 0
    Object.assign(source, { giveBackThreads: async () => void given++ })
    await backup()
    expect(given).to.equal(1)
    await backup()
    expect(given).to.equal(1)
  })

  it('tells of each file that it takes over, if anybody wants to know', async () => {
    const { source, backup, events, eventsOf } = await createBackupFixture()
    for (const name of ['a', 'b']) source.file(`/src/${name}`, 'content')
    await backup()
    events.length = 0
    await backup()
    expect(eventsOf('file').map(({ path, action, size }) => `${action} ${path} ${size}`)).to.deep.equal([
      'unchanged /src/a 7',
      'unchanged /src/b 7',
    ])
    events.length = 0
    await backup({}, { onEvent: (event) => events.push(event), fileEvents: false })
    expect(eventsOf('file')).to.deep.equal([])
    expect(eventsOf('status').at(-1)).to.include({ filesDone: 2, bytesDone: 14 })
  })

  it('saves a link again that points elsewhere, whatever else is the same', async () => {
    const { source, backup, entries } = await createBackupFixture()
    source.symlink('/src/dir/link', 'before')
    await backup()
    source.node('/src/dir/link').target = Buffer.from('behind')
    const stored = (await entries(await backup())).get('/src/dir/link')
    expect(Buffer.from(stored?.entry.target ?? []).toString()).to.equal('behind')
  })

  it('takes over files of very many extents by their lists', async () => {
    const { source, random, backup, entries } = await createBackupFixture()
    const unit = 64 * 1024
    const content = Buffer.alloc(1100 * unit)
    const data = random.bytes(unit)
    for (let at = 0; at < content.length; at += 2 * unit) content.set(data, at)
    source.file('/src/holes', content).allocatedBytes = content.length / 2
    const first = await backup()
    const stored = (await entries(first)).get('/src/holes')
    expect(stored?.entry.extentLists).to.have.length(1)
    expect(stored?.content.equals(content)).to.equal(true)
    source.reads.length = 0
    const second = await backup()
    expect(source.reads).to.deep.equal([])
    expect(second.snapshot?.manifest.tree).to.deep.equal(first.snapshot?.manifest.tree)
  })

  it('compares with the named parent, across hosts', async () => {
    const { source, backup } = await createBackupFixture()
    source.file('/src/a', 'content')
    const first = await backup({ host: 'one' })
    expect((await backup({ host: 'two' })).parent).to.equal(undefined)
    const named = await backup({ host: 'two', parent: first.snapshot?.shortId })
    expect(named.parent).to.equal(first.snapshot?.id)
    expect(named.stats.filesUnmodified).to.equal(1)
  })
})

describe('a dry run', () => {
  it('says what would be read, and does nothing', async () => {
    const { source, backup, cluster, eventsOf } = await createBackupFixture()
    source.file('/src/same', 'same')
    source.file('/src/changed', 'before')
    await backup()
    source.file('/src/changed', 'after!')
    source.file('/src/new', 'new')
    source.reads.length = 0
    cluster.trace.length = 0
    const summary = await backup({ dryRun: true })
    expect(summary.snapshot).to.equal(undefined)
    expect(summary.stats).to.include({ filesNew: 1, filesChanged: 1, filesUnmodified: 1, readBytes: 9 })
    expect(source.reads).to.deep.equal([])
    expect(cluster.count('beginBackup') + cluster.count('upload')).to.equal(0)
    expect(
      eventsOf('file')
        .slice(-3)
        .map(({ action }) => action),
    ).to.deep.equal(['modified', 'new', 'unchanged'])
  })

  it('takes everything for new where there is no parent', async () => {
    const { source, backup } = await createBackupFixture()
    source.file('/src/a', 'a')
    expect((await backup({ dryRun: true })).stats).to.include({ filesNew: 1, filesUnmodified: 0 })
  })
})
