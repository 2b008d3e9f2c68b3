import { expect } from 'chai'
import { expectError } from '../../../support/expect-error.ts'
import type { SnapshotId } from '../../../../src/core/ids.ts'
import { trashWindowMs } from '../../../../src/core/limits.ts'
import { PaperCluster, anyFilter, firstPage } from '../cluster-fixture.ts'
import { checkInvariants, forget, prune, pruneUntil, stateOf, sweepAll } from './gc-fixture.ts'

const about = (snapshotIds: readonly SnapshotId[]) => ({ vault: '', snapshotIds, actor: 'test' })

async function listed(cluster: PaperCluster, trash: boolean): Promise<readonly SnapshotId[]> {
  const { items } = await cluster.manager.listSnapshots({ ...anyFilter, trash }, firstPage)
  return items.map((item) => item.snapshotId)
}

/** Time passes, and the nodes go on. */
async function wait(cluster: PaperCluster, ms: number): Promise<void> {
  cluster.clock.advance(ms)
  await cluster.heartbeatAll()
  await sweepAll(cluster)
}

describe('the trash', () => {
  it('hides a forgotten snapshot, and gives it back', async () => {
    const cluster = await PaperCluster.start(3)
    const { snapshotId } = await cluster.backup(['a'])
    await forget(cluster, [snapshotId], false)
    expect(await listed(cluster, false)).to.deep.equal([])
    expect(await listed(cluster, true)).to.deep.equal([snapshotId])
    await expectError(cluster.manager.getSnapshot('latest', anyFilter), 'not-found')
    const error = await expectError(cluster.manager.getSnapshot(snapshotId, anyFilter), 'not-found')
    expect(error.message).to.contain('undelete')
    expect((await cluster.manager.getStatus()).snapshots).to.equal(0)
    await cluster.manager.admin.undeleteSnapshots(about([snapshotId]))
    expect(await listed(cluster, false)).to.deep.equal([snapshotId])
    expect(await listed(cluster, true)).to.deep.equal([])
  })

  it('is not what a backup compares with', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a'])
    const second = await cluster.backup(['b'])
    await forget(cluster, [second.snapshotId], false)
    expect((await cluster.begin()).parent?.snapshotId).to.equal(first.snapshotId)
  })

  it('keeps everything until the window is over, whatever is pruned', async () => {
    const cluster = await PaperCluster.start(3)
    const { snapshotId } = await cluster.backup(['a'])
    await forget(cluster, [snapshotId], false)
    await wait(cluster, trashWindowMs - 1)
    expect(await prune(cluster)).to.include({ snapshotsRemoved: 0, packsCondemned: 0 })
    expect(await stateOf(cluster, 'a')).to.equal('committed')
    await wait(cluster, 1)
    const state = await prune(cluster)
    expect(state.snapshotsRemoved).to.equal(1)
    expect(state.packsDeleted).to.be.greaterThan(0)
    expect(await stateOf(cluster, 'a')).to.equal(undefined)
    const error = await expectError(cluster.manager.admin.undeleteSnapshots(about([snapshotId])), 'failed-precondition')
    expect(error.message).to.contain('removed for good')
  })

  it('does not begin its time again when something is forgotten twice', async () => {
    const cluster = await PaperCluster.start(3)
    const { snapshotId } = await cluster.backup(['a'])
    await forget(cluster, [snapshotId], false)
    await wait(cluster, trashWindowMs / 2)
    await forget(cluster, [snapshotId], false)
    await wait(cluster, trashWindowMs / 2)
    expect(await prune(cluster)).to.include({ snapshotsRemoved: 1 })
  })

  it('takes all or none', async () => {
    const cluster = await PaperCluster.start(3)
    const { snapshotId } = await cluster.backup(['a'])
    const unknown = 'f'.repeat(64) as SnapshotId
    await expectError(forget(cluster, [snapshotId, unknown]), 'not-found')
    expect(await listed(cluster, false)).to.deep.equal([snapshotId])
  })

  it('takes no version of a file', async () => {
    const cluster = await PaperCluster.start(3)
    const { snapshotId } = await cluster.backup(['a'], { fileName: 'report' })
    await expectError(forget(cluster, [snapshotId]), 'failed-precondition')
    await prune(cluster)
    await checkInvariants(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('committed')
  })

  it('keeps its log in a chain, and the history', async () => {
    const cluster = await PaperCluster.start(3)
    const { snapshotId } = await cluster.backup(['a'])
    await forget(cluster, [snapshotId])
    await prune(cluster)
    const newest = await cluster.catalogue.read((tx) => tx.log.newest())
    expect(newest?.kind).to.equal('packs-deleted')
    const { items } = await cluster.manager.listHistory('forget', firstPage)
    expect(items.map((item) => item.snapshotId)).to.deep.equal([snapshotId])
  })
})

describe('a pin', () => {
  it('protects a snapshot, and the refusal names it', async () => {
    const cluster = await PaperCluster.start(3)
    const { admin } = cluster.manager
    const { snapshotId } = await cluster.backup(['a'])
    const other = await cluster.backup(['b'])
    await admin.pinSnapshots({ ...about([snapshotId]), pinned: true, reason: 'the law' })
    const error = await expectError(forget(cluster, [other.snapshotId, snapshotId]), 'failed-precondition')
    expect(error.message).to.contain(snapshotId.slice(0, 8)).and.to.contain('the law')
    expect(error.message).not.to.contain(other.snapshotId.slice(0, 8))
    expect(await listed(cluster, false)).to.have.length(2)
    const shown = await cluster.manager.getSnapshot(snapshotId, anyFilter)
    expect(shown.pin).to.equal('the law')
    await admin.pinSnapshots({ ...about([snapshotId]), pinned: false, reason: '' })
    await forget(cluster, [snapshotId])
    expect(await listed(cluster, false)).to.deep.equal([other.snapshotId])
    await expectError(admin.pinSnapshots({ ...about([snapshotId]), pinned: true, reason: '' }), 'failed-precondition')
  })
})

describe('a prune of the manager', () => {
  it('waits in safe mode, and deletes nothing by itself then', async () => {
    const cluster = await PaperCluster.start(3)
    const { snapshotId } = await cluster.backup(['a'])
    await forget(cluster, [snapshotId])
    await cluster.open()
    await cluster.manager.admin.prune({ dryRun: false, findRepackable: false, unusedPermilleMax: undefined })
    for (let turn = 0; turn < 20; turn++) await cluster.manager.sweep()
    const state = await cluster.manager.admin.getPrune()
    expect(state).to.include({ phase: 'waiting', snapshotsRemoved: 0 })
    expect(state.problem).not.to.equal('')
    await cluster.settleAll()
    await sweepAll(cluster)
    expect(await stateOf(cluster, 'a')).to.equal(undefined)
  })

  it('comes to the same end wherever the manager was restarted', async () => {
    for (let steps = 0; steps < 16; steps++) {
      const cluster = await PaperCluster.start(3)
      const gone = await cluster.backup(['a', 'b'])
      await cluster.backup(['b', 'c'], { host: 'second' })
      await forget(cluster, [gone.snapshotId])
      await cluster.manager.admin.prune({ dryRun: false, findRepackable: true, unusedPermilleMax: 0 })
      for (let step = 0; step < steps; step++) await cluster.manager.sweep()
      await cluster.open()
      await cluster.settleAll()
      await checkInvariants(cluster)
      await prune(cluster)
      await checkInvariants(cluster)
      const packs = await cluster.catalogue.read((tx) => tx.packs.page(0, 100))
      const states = packs.map((pack) => pack.state)
      expect(
        states.filter((state) => state === 'deleted'),
        `after ${steps} steps`,
      ).to.have.length(2)
      expect(states).not.to.include('condemned')
    }
  })

  it('deletes what another manager condemned, as soon as it may', async () => {
    const cluster = await PaperCluster.start(3)
    const gone = await cluster.backup(['a'])
    const session = await cluster.begin()
    await forget(cluster, [gone.snapshotId])
    await prune(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('condemned')
    await cluster.open()
    await cluster.settleAll()
    await cluster.manager.endSession(session, 'test')
    await sweepAll(cluster)
    expect(await stateOf(cluster, 'a')).to.equal(undefined)
  })

  it('reads on when more is committed than one transaction looks at', async () => {
    const cluster = await PaperCluster.start(3)
    const gone = await cluster.backup(['a'])
    await forget(cluster, [gone.snapshotId])
    await cluster.manager.admin.prune({ dryRun: false, findRepackable: false, unusedPermilleMax: undefined })
    await pruneUntil(cluster, 'condemning')
    for (let n = 0; n < 70; n++) await cluster.backup([`x${n}`], { host: `h${n}` })
    await sweepAll(cluster)
    expect(await stateOf(cluster, 'a')).to.equal(undefined)
    await checkInvariants(cluster)
  })
})
