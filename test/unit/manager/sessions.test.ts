import { expect } from 'chai'
import type { SessionId } from '../../../src/core/ids.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, anyFilter, chunk, firstPage } from './cluster-fixture.ts'

describe('sessions', () => {
  it('are begun once for each request', async () => {
    const cluster = await PaperCluster.start(0)
    const first = await cluster.begin({ requestId: 'r' })
    const again = await cluster.begin({ requestId: 'r' })
    expect(again).to.deep.equal(first)
    const other = await cluster.begin({ requestId: 'r', clientId: 'd'.repeat(32) })
    expect(other.sessionId).not.to.equal(first.sessionId)
    await expectError(cluster.begin({ requestId: 'r', host: 'another' }), 'invalid-argument')
  })

  it('are refused for what does not exist', async () => {
    const cluster = await PaperCluster.start(0)
    await expectError(cluster.begin({ vault: 'nope' }), 'not-found')
    await expectError(cluster.begin({ parent: 'abcdef' }), 'not-found')
    await expectError(cluster.begin({ parent: 'ab' }), 'invalid-argument')
    await expectError(cluster.begin({ requestId: '' }), 'invalid-argument')
    await expectError(cluster.begin({ fileName: 'x'.repeat(1025) }), 'invalid-argument')
  })

  it('ask for their secret', async () => {
    const cluster = await PaperCluster.start(2)
    const { sessionId, sessionToken } = await cluster.begin()
    const { manager } = cluster
    for (const wrong of ['', 'x', '0'.repeat(32), `${sessionToken}0`]) {
      const session = { sessionId, sessionToken: wrong }
      await expectError(manager.renewSession(session), 'permission-denied')
      await expectError(manager.endSession(session, ''), 'permission-denied')
      await expectError(manager.lookupChunks(session, []), 'permission-denied')
      const request = { session, requestId: 'r', lengthBytes: 10, excludeNodeIds: [] }
      await expectError(manager.allocatePack(request), 'permission-denied')
    }
    const nobody = { sessionId: 'a'.repeat(32) as SessionId, sessionToken }
    await expectError(manager.renewSession(nobody), 'session-ended')
  })

  it('live as long as anything is heard of them', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    for (let turn = 0; turn < 5; turn++) {
      cluster.clock.advance(50_000)
      await cluster.heartbeatAll()
      if (turn % 2 === 0) await cluster.manager.lookupChunks(session, [])
      else await cluster.allocate(session)
      await cluster.manager.sweep()
    }
    expect(await cluster.manager.renewSession(session)).to.equal(60_000)
    cluster.clock.advance(60_000)
    await expectError(cluster.manager.renewSession(session), 'session-ended')
    await expectError(cluster.manager.lookupChunks(session, []), 'session-ended')
  })

  it('are not bothered by a wall clock that is set back or forth', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    cluster.clock.setWall(5)
    await cluster.manager.renewSession(session)
    cluster.clock.setWall(9e12)
    await cluster.manager.sweep()
    await cluster.manager.renewSession(session)
  })

  it('that nobody renews are ended, and what they left in flight is dropped', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const allocation = await cluster.allocate(session)
    cluster.clock.advance(60_000)
    await cluster.heartbeatAll()
    expect((await cluster.manager.getStatus()).sessionsOpen).to.equal(1)
    expect(await cluster.manager.sweep()).to.equal(false)
    expect((await cluster.manager.getStatus()).sessionsOpen).to.equal(0)
    for (const node of cluster.nodes) expect((await node.heartbeat()).orders).to.have.length(1)
    const request = { ticket: allocation.ticket, receipts: cluster.receipts(allocation), entries: [chunk('a')] }
    await expectError(cluster.manager.commitPack(request), 'failed-precondition')
    const { items } = await cluster.manager.listHistory('backup', firstPage)
    expect(items[0]).to.include({ result: 'failed', actor: 'ada@laptop', subject: '/home' })
  })

  it('are swept while the manager runs', async () => {
    const cluster = await PaperCluster.start(0)
    await cluster.begin()
    const stop = new AbortController()
    const running = cluster.manager.run(stop.signal)
    cluster.clock.advance(60_000)
    while ((await cluster.manager.getStatus()).sessionsOpen > 0) cluster.clock.advance(1000)
    stop.abort()
    await running
  })

  it('are given up once, however often that is asked', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const { packId } = await cluster.allocate(session)
    await cluster.manager.endSession(session, 'interrupted')
    await cluster.manager.endSession(session, 'interrupted')
    await expectError(cluster.allocate(session), 'session-ended')
    expect(await cluster.manager.abandonPack({ session, packId, reason: '' })).to.include({ committed: false })
    const { items } = await cluster.manager.listHistory('backup', firstPage)
    expect(items.map((item) => [item.result, item.detail])).to.deep.equal([['abandoned', 'interrupted']])
    for (const node of cluster.nodes) expect((await node.heartbeat()).orders).to.have.length(1)
  })

  it('have one snapshot at the most, even with two clients in them', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const one = await cluster.upload(session, ['a'], { tags: ['one'] })
    const two = await cluster.upload(session, ['b'], { tags: ['two'] })
    const outcomes = await Promise.allSettled([
      cluster.manager.commitSnapshot(one),
      cluster.manager.commitSnapshot(two),
    ])
    expect(outcomes.map((outcome) => outcome.status).toSorted()).to.deep.equal(['fulfilled', 'rejected'])
    const { items } = await cluster.manager.listSnapshots(anyFilter, firstPage)
    expect(items).to.have.length(1)
    await expectError(cluster.manager.endSession({ ...session, sessionToken: '' }, ''), 'permission-denied')
    await cluster.manager.endSession(session, 'too late')
    expect((await cluster.manager.listSnapshots(anyFilter, firstPage)).items).to.deep.equal(items)
  })

  it('may have only so many packs in flight', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    for (let turn = 0; turn < 64; turn++) await cluster.allocate(session)
    await expectError(cluster.allocate(session), 'overloaded')
  })
})
