import { expect } from 'chai'
import { TwofoldError } from '../../../../src/core/errors.ts'
import { checkpointGraceMs } from '../../../../src/core/limits.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import type { BackupFixture } from '../../../support/backup-fixture.ts'
import { expectError } from '../../../support/expect-error.ts'

/** After every file. */
const often = { checkpointIntervalMs: 1, countAhead: false }

const name = (number: number): string => `/src/d${Math.floor(number / 4)}/f${number}`

/** Sixteen files in four folders, all of different lengths and kinds of storing. */
async function createFixture(): Promise<BackupFixture> {
  const fixture = await createBackupFixture()
  const { source, random, clock } = fixture
  for (let number = 0; number < 16; number++) source.file(name(number), random.bytes(1000 + number * 20_000))
  source.onRead = () => clock.advance(10)
  return fixture
}

/** From when its `count`th checkpoint is saved, nobody hears from the client any more. */
async function killAfterCheckpoints(fixture: BackupFixture, count: number): Promise<void> {
  const { faults } = fixture.cluster
  let saved = 0
  const gone = (): void => {
    if (saved >= count) throw new TwofoldError('internal', 'killed')
  }
  faults.before = gone
  faults.after = (call) => {
    if (call === 'saveCheckpoint') saved += 1
    gone()
  }
  await expectError(fixture.backup(often), 'internal')
  delete faults.before
  delete faults.after
  fixture.source.reads.length = 0
}

/** What is done when a stop was asked for takes no time; else time is up whenever nothing happens for a moment. */
function haveTime({ clock }: BackupFixture): void {
  const sleep = clock.sleep.bind(clock)
  clock.sleep = (ms, signal) => (ms === checkpointGraceMs ? new Promise<void>(() => undefined) : sleep(ms, signal))
}

async function contents(fixture: BackupFixture, summary: Awaited<ReturnType<BackupFixture['backup']>>): Promise<void> {
  const entries = await fixture.entries(summary)
  for (let number = 0; number < 16; number++) {
    const node = fixture.source.node(name(number))
    expect(entries.get(name(number))?.content.equals(node.content), name(number)).to.equal(true)
    expect(entries.get(name(number))?.entry.ctimeNs, name(number)).to.equal(node.ctimeNs)
  }
}

describe('a backup that was interrupted', () => {
  it('goes on without opening a finished file again, wherever it was killed', async () => {
    for (let count = 1; count <= 16; count += 3) {
      const fixture = await createFixture()
      await killAfterCheckpoints(fixture, count)
      const again = await fixture.backup(often)
      expect(fixture.source.reads.length, `after ${count}`).to.equal(16 - count)
      expect(again.resumedFromMs).to.be.a('number')
      expect(again.stats.filesUnmodified).to.equal(count)
      await contents(fixture, again)
      // What it sent itself is little more than what it read.
      expect(again.stats.newBytes).to.equal(again.stats.readBytes)
    }
  })

  it('is saved once more when it is asked to stop, also in the middle of a large file', async () => {
    const fixture = await createFixture()
    const { source, backup, random, cluster, events } = fixture
    haveTime(fixture)
    source.file('/src/z/large', random.bytes(9_000_000))
    const controller = new AbortController()
    let largeReads = 0
    source.onRead = (path) => {
      if (path === '/src/z/large' && ++largeReads === 3) controller.abort()
    }
    await expectError(backup({}, { signal: controller.signal }), 'cancelled')
    expect(largeReads).to.equal(3)
    expect(cluster.count('saveCheckpoint')).to.equal(1)
    expect(cluster.trace.at(-1)).to.equal('endSession')
    expect(events.some((event) => event.type === 'note' && event.message.includes('goes on from there'))).to.equal(true)
    const before = [...source.reads]
    source.reads.length = 0
    await contents(fixture, await backup())
    expect(source.reads.filter((path) => before.includes(path))).to.deep.equal(['/src/z/large'])
  })

  it('ends without a checkpoint when that takes too long', async () => {
    const { source, backup, cluster, clock } = await createFixture()
    const controller = new AbortController()
    source.onRead = () => controller.abort()
    cluster.faults.onSlice = () => clock.sleep(3_600_000)
    const begunMs = clock.monotonicMs()
    await expectError(backup({}, { signal: controller.signal }), 'cancelled')
    expect(clock.monotonicMs() - begunMs).to.be.within(8000, 60_000)
    expect(cluster.count('saveCheckpoint')).to.equal(0)
  })

  it('reads what changed since again, by the same signs as with a parent', async () => {
    const fixture = await createFixture()
    const { source, random, backup } = fixture
    await killAfterCheckpoints(fixture, 12)
    source.file(name(1), random.bytes(21_000))
    const stamped = source.node(name(2))
    stamped.content = random.bytes(stamped.content.length)
    stamped.ctimeNs += 1n
    const replaced = source.node(name(3))
    replaced.content = random.bytes(replaced.content.length)
    replaced.inode += 1000n
    const again = await backup()
    expect(source.reads.filter((path) => [1, 2, 3].map(name).includes(path))).to.have.lengthOf(3)
    expect(source.reads).to.have.lengthOf(7)
    await contents(fixture, again)
  })

  it('keeps what two interrupted ones finished, and what the parent has of the rest', async () => {
    const fixture = await createFixture()
    const { source, random, backup } = fixture
    await backup()
    for (let number = 8; number < 16; number++) source.file(name(number), random.bytes(5000))
    source.file('/src/a-new/one', 'one')
    // The new file and five of the changed ones.
    await killAfterCheckpoints(fixture, 6)
    // This one comes nowhere near where that one was.
    source.file(name(0), 'changed')
    await killAfterCheckpoints(fixture, 1)
    const again = await backup()
    expect(source.reads).to.have.lengthOf(3)
    await contents(fixture, again)
    expect((await fixture.entries(again)).get('/src/a-new/one')?.content.toString()).to.equal('one')
  })

  it('is no snapshot, and is forgotten with the next one', async () => {
    const fixture = await createFixture()
    const { cluster, backup, deps } = fixture
    await killAfterCheckpoints(fixture, 12)
    const page = { pageSize: 0, pageToken: '' }
    const filter = { vault: '', host: '', paths: [], tags: [] }
    expect((await deps.manager.listSnapshots(filter, page)).items).to.have.lengthOf(0)
    await expectError(deps.manager.getSnapshot('latest', filter), 'not-found')
    const status = await deps.manager.getStatus()
    expect(status).to.include({ snapshots: 0, lastBackupMs: 0 })
    expect((await deps.manager.listCheckpoints('', page)).items).to.have.lengthOf(1)
    await backup()
    expect((await deps.manager.listCheckpoints('', page)).items).to.have.lengthOf(0)
    expect(cluster.snapshots.size).to.equal(1)
  })

  it('is not gone on with by one that is to read everything, or is to compare with another snapshot', async () => {
    for (const request of [{ force: true }, { host: 'another' }]) {
      const fixture = await createFixture()
      await killAfterCheckpoints(fixture, 12)
      const again = await fixture.backup(request)
      expect(fixture.source.reads).to.have.lengthOf(16)
      expect(again.resumedFromMs).to.equal(undefined)
    }
    const fixture = await createFixture()
    const parent = (await fixture.backup()).snapshot?.id ?? ''
    fixture.source.file(name(0), 'changed')
    await killAfterCheckpoints(fixture, 1)
    await fixture.backup({ parent })
    expect(fixture.source.reads).to.deep.equal([name(0)])
  })

  it('reads again what lost its copies since', async () => {
    const fixture = await createFixture()
    const { cluster, backup, lose, source } = fixture
    await killAfterCheckpoints(fixture, 12)
    lose(cluster.holders(cluster.records('data')[0]!)[0]!.name)
    await contents(fixture, await backup())
    expect(source.reads.length).to.be.greaterThan(4)
  })

  it('goes on when a checkpoint cannot be saved', async () => {
    const fixture = await createFixture()
    fixture.cluster.faults.before = (call) => {
      if (call === 'saveCheckpoint') throw new TwofoldError('missing-chunks', 'something is gone')
    }
    await contents(fixture, await fixture.backup(often))
  })

  it('saves none when nobody wants any', async () => {
    const { cluster, backup } = await createFixture()
    await backup({ checkpointIntervalMs: 0 })
    expect(cluster.count('saveCheckpoint')).to.equal(0)
  })
})
