import { expect } from 'chai'
import { expectError } from '../../../support/expect-error.ts'
import { PaperCluster, chunk } from '../cluster-fixture.ts'
import {
  atEachTransaction,
  checkInvariants,
  forget,
  prune,
  pruneUntil,
  repack,
  stateOf,
  sweepAll,
  uploadTrusting,
} from './gc-fixture.ts'

const dayMs = 86_400_000
const find = { findRepackable: true, unusedPermilleMax: 0 }

describe('garbage collection and backups that go on', () => {
  it('keeps what a backup needs that is committed after the snapshots were listed', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a'])
    const session = await cluster.begin({ host: 'other' })
    const draft = await cluster.upload(session, ['a', 'b'])
    await forget(cluster, [first.snapshotId])
    await cluster.manager.admin.prune({ dryRun: false, findRepackable: false, unusedPermilleMax: undefined })
    await pruneUntil(cluster, 'condemning')
    await cluster.manager.commitSnapshot(draft)
    await sweepAll(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('committed')
    await checkInvariants(cluster)
  })

  it('keeps a promise that a look-up gave before: the commit brings the pack back', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a'])
    const session = await cluster.begin({ host: 'other' })
    expect(await cluster.manager.lookupChunks(session, [chunk('a').chunkId])).to.deep.equal([true])
    await forget(cluster, [first.snapshotId])
    const { packsCondemned, packsDeleted, packsWaiting } = await prune(cluster)
    expect(packsCondemned).to.be.greaterThan(0)
    expect({ packsDeleted, packsWaiting }).to.deep.equal({ packsDeleted: 0, packsWaiting: packsCondemned })
    expect(await stateOf(cluster, 'a')).to.equal('condemned')
    // The client believes the look-up, so it stores only the tree.
    await cluster.manager.renewSession(session)
    const draft = await uploadTrusting(cluster, session, 'a')
    await cluster.manager.commitSnapshot(draft)
    expect(await stateOf(cluster, 'a')).to.equal('committed')
    await prune(cluster)
    await checkInvariants(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('committed')
  })

  it('takes condemned chunks for absent in sessions that begin later', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a'])
    const old = await cluster.begin({ host: 'other' })
    await cluster.manager.lookupChunks(old, [chunk('a').chunkId])
    await forget(cluster, [first.snapshotId])
    await prune(cluster)
    const young = await cluster.begin({ host: 'third' })
    expect(await cluster.manager.lookupChunks(young, [chunk('a').chunkId])).to.deep.equal([false])
    const draft = await cluster.upload(young, ['a'])
    expect(await stateOf(cluster, 'a'), 'it moved to the new pack').to.equal('committed')
    await cluster.manager.endSession(old, 'test')
    await sweepAll(cluster)
    await cluster.manager.commitSnapshot(draft)
    await checkInvariants(cluster)
  })

  it('refuses a session that slept for three days, and leaves no hole', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a'])
    const session = await cluster.begin({ host: 'other' })
    await cluster.manager.lookupChunks(session, [chunk('a').chunkId])
    const draft = await uploadTrusting(cluster, session, 'a')
    await forget(cluster, [first.snapshotId])
    await prune(cluster)
    cluster.clock.advance(3 * dayMs)
    await cluster.heartbeatAll()
    await sweepAll(cluster)
    expect(await stateOf(cluster, 'a')).to.equal(undefined)
    await expectError(cluster.manager.commitSnapshot(draft), 'session-ended')
    await prune(cluster)
    await checkInvariants(cluster)
    expect((await cluster.manager.getStatus()).packs).to.equal(0)
  })

  it('deletes nothing as long as a session is open that began before, however long it takes', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a'])
    const session = await cluster.begin({ host: 'other' })
    await forget(cluster, [first.snapshotId])
    await prune(cluster)
    for (let hour = 0; hour < 72; hour++) {
      for (let turn = 0; turn < 120; turn++) {
        cluster.clock.advance(30_000)
        await cluster.manager.renewSession(session)
      }
      await cluster.heartbeatAll()
      await sweepAll(cluster)
    }
    expect(await stateOf(cluster, 'a')).to.equal('condemned')
    await cluster.manager.endSession(session, 'test')
    await sweepAll(cluster)
    expect(await stateOf(cluster, 'a')).to.equal(undefined)
  })

  it('never condemns what an open session uploaded, and collects what it left behind', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a')])
    expect(await prune(cluster)).to.include({ packsCondemned: 0 })
    await cluster.manager.endSession(session, 'test')
    expect(await prune(cluster)).to.include({ packsCondemned: 1, packsDeleted: 1 })
    await checkInvariants(cluster)
  })

  it('keeps the pack that chunks of a weak one were moved to, also when their uploader is forgotten', async () => {
    const cluster = await PaperCluster.start(3)
    await cluster.backup(['a'], { host: 'first' })
    const [lost] = cluster.nodes
    cluster.clock.advance(700_000)
    await cluster.heartbeatAll(lost === undefined ? [] : [lost])
    for (let n = 0; n < 6; n++) {
      const later = await cluster.backup(['a', `b${n}`], { host: `h${n}` })
      await forget(cluster, [later.snapshotId])
    }
    await lost?.heartbeat()
    await prune(cluster)
    await checkInvariants(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('committed')
  })

  it('lets go of a pack that chunks were moved to, once they were moved on', async () => {
    const cluster = await PaperCluster.start(3)
    await cluster.backup(['a', 'z'], { host: 'first' })
    const [lost] = cluster.nodes
    cluster.clock.advance(700_000)
    await cluster.heartbeatAll(lost === undefined ? [] : [lost])
    const ids = []
    for (let n = 0; n < 6; n++) ids.push((await cluster.backup(['a', `b${n}`], { host: `h${n}` })).snapshotId)
    await lost?.heartbeat()
    await forget(cluster, ids)
    await prune(cluster, find)
    // The pack that they came from first stays.
    const z = Buffer.from(chunk('z').chunkId)
    await repack(cluster, { move: ({ records }) => !records.some(({ chunkId }) => z.equals(chunkId)) })
    await prune(cluster)
    await checkInvariants(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('committed')
    for (let n = 0; n < 6; n++) expect(await stateOf(cluster, `b${n}`)).to.equal(undefined)
  })

  it('does not commit a snapshot again that was removed for good', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const draft = await cluster.upload(session, ['a'])
    const { snapshotId } = await cluster.manager.commitSnapshot(draft)
    await forget(cluster, [snapshotId])
    await prune(cluster)
    await expectError(cluster.manager.commitSnapshot(draft), 'failed-precondition')
  })

  it('moves nothing away from a snapshot that was committed after the walk', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a', 'b', 'c'])
    await cluster.backup(['a'], { host: 'second' })
    await forget(cluster, [first.snapshotId])
    await prune(cluster, find)
    // `b` was of no use when the walk was made.
    await cluster.backup(['b'], { host: 'third' })
    const { finished } = await repack(cluster)
    await prune(cluster)
    expect(await stateOf(cluster, 'b')).to.equal('committed')
    await checkInvariants(cluster)
    expect(finished.length).to.be.greaterThan(0)
  })

  it('keeps a promise about a chunk that was not worth moving', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a', 'b', 'c'])
    await cluster.backup(['a'], { host: 'second' })
    const session = await cluster.begin({ host: 'third' })
    await cluster.manager.lookupChunks(session, [chunk('b').chunkId])
    await forget(cluster, [first.snapshotId])
    await prune(cluster, find)
    await repack(cluster)
    await prune(cluster)
    expect(await stateOf(cluster, 'a')).to.equal('committed')
    expect(await stateOf(cluster, 'b')).to.equal('condemned')
    await cluster.manager.commitSnapshot(await uploadTrusting(cluster, session, 'b'))
    await prune(cluster)
    expect(await stateOf(cluster, 'b')).to.equal('committed')
    await checkInvariants(cluster)
  })

  it('keeps a chunk that moved away while the commit was looking for its packs', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const first = await cluster.backup(['a'])
      const session = await cluster.begin({ host: 'other' })
      await cluster.manager.lookupChunks(session, [chunk('a').chunkId])
      const draft = await uploadTrusting(cluster, session, 'a')
      interrupt(async () => {
        await forget(cluster, [first.snapshotId])
        await prune(cluster)
        const third = await cluster.begin({ host: 'third' })
        await cluster.upload(third, ['a', 'b'])
        await cluster.manager.endSession(third, 'test')
        await prune(cluster)
      })
      await cluster.manager.commitSnapshot(draft)
    })
  })

  it('does not take over the packs of a parent that is removed meanwhile', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const first = await cluster.backup(['a'])
      const session = await cluster.begin()
      expect(session.parent?.snapshotId).to.equal(first.snapshotId)
      const draft = await uploadTrusting(cluster, session, 'a')
      interrupt(async () => {
        await forget(cluster, [first.snapshotId])
        await prune(cluster)
      })
      await cluster.manager.commitSnapshot(draft)
    })
  })

  it('keeps what a snapshot needs that is committed at any moment of a prune', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const first = await cluster.backup(['a', 'b'])
      const session = await cluster.begin({ host: 'other' })
      await cluster.manager.lookupChunks(session, [chunk('a').chunkId])
      const draft = await uploadTrusting(cluster, session, 'a')
      await forget(cluster, [first.snapshotId])
      interrupt(async () => void (await cluster.manager.commitSnapshot(draft)))
      await prune(cluster, find)
      expect(await stateOf(cluster, 'a')).to.be.oneOf(['committed', 'condemned'])
    })
  })

  it('keeps what a snapshot needs that is committed while a pack is finished', async () => {
    await atEachTransaction(async (cluster, interrupt) => {
      const first = await cluster.backup(['a', 'b', 'c'])
      await cluster.backup(['a'], { host: 'second' })
      const session = await cluster.begin({ host: 'third' })
      await cluster.manager.lookupChunks(session, [chunk('b').chunkId])
      await forget(cluster, [first.snapshotId])
      await prune(cluster, find)
      const draft = await uploadTrusting(cluster, session, 'b')
      interrupt(async () => {
        expect((await repack(cluster)).finished.length).to.be.greaterThan(0)
        await prune(cluster)
      })
      await cluster.manager.commitSnapshot(draft)
    })
  })

  it('leaves a pack of which a part was not moved, and finds the rest next time', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a', 'b', 'c'])
    await cluster.backup(['a', 'b'], { host: 'second' })
    await forget(cluster, [first.snapshotId])
    await prune(cluster, find)
    const { listed, finished } = await repack(cluster, { move: () => false })
    expect(listed.length).to.be.greaterThan(0)
    expect(finished).to.deep.equal([])
    await prune(cluster, find)
    expect((await repack(cluster)).finished.length).to.be.greaterThan(0)
    await prune(cluster)
    await checkInvariants(cluster)
  })

  it('collects what a mover left behind that was killed before it said so', async () => {
    const cluster = await PaperCluster.start(3)
    const first = await cluster.backup(['a', 'b', 'c'])
    await cluster.backup(['a'], { host: 'second' })
    await forget(cluster, [first.snapshotId])
    await prune(cluster, find)
    const killed = repack(cluster, { beforeFinish: () => Promise.reject(new Error('killed')) })
    await killed.catch(() => undefined)
    cluster.clock.advance(61_000)
    await cluster.heartbeatAll()
    await sweepAll(cluster)
    await checkInvariants(cluster)
    await prune(cluster, find)
    await checkInvariants(cluster)
    await repack(cluster)
    await prune(cluster)
    await checkInvariants(cluster)
    expect(await stateOf(cluster, 'b')).to.equal(undefined)
  })

  it('names the put in the order to drop a copy', async () => {
    const cluster = await PaperCluster.start(2)
    const first = await cluster.backup(['a'])
    await forget(cluster, [first.snapshotId])
    const { packsDeleted } = await prune(cluster)
    for (const node of cluster.nodes)
      expect((await node.heartbeat()).orders, 'before the log is there').to.deep.equal([])
    await cluster.heartbeatAll()
    for (const node of cluster.nodes) {
      const { orders } = await node.heartbeat()
      const puts = orders.map(({ action }) => (action.kind === 'drop-pack' ? action.putSequenceMax : 0))
      expect(puts.sort()).to.deep.equal(Array.from({ length: packsDeleted }, (_, index) => index + 1))
      const lives = new Set(orders.map(({ action }) => 'incarnation' in action && action.incarnation))
      expect([...lives]).to.deep.equal([node.incarnation])
    }
  })
})
