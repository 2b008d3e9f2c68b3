import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, anyFilter, chunk, firstPage } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

describe('a manager that is restarted', () => {
  let directory = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'twofold-manager-'))
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  const start = (nodes: number): Promise<PaperCluster> =>
    PaperCluster.start(nodes, { path: join(directory, 'catalogue.db') })

  it('goes on with a backup in the middle', async () => {
    const cluster = await start(2)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a')])
    const request = { session, requestId: 'r', lengthBytes: 1000, excludeNodeIds: [] }
    const allocation = await cluster.manager.allocatePack(request)
    cluster.clock.advance(50_000)
    await cluster.restart()
    expect((await cluster.manager.getStatus()).sessionsOpen).to.equal(1)
    cluster.clock.advance(50_000)
    await cluster.heartbeatAll()
    expect(await cluster.manager.allocatePack(request)).to.deep.equal(allocation)
    const receipts = cluster.receipts(allocation)
    await cluster.manager.commitPack({ ticket: allocation.ticket, receipts, entries: [chunk('b')] })
    const draft = await cluster.upload(session, ['a', 'b'])
    const first = await cluster.manager.commitSnapshot(draft)
    await cluster.restart()
    expect((await cluster.manager.commitSnapshot(draft)).snapshotId).to.equal(first.snapshotId)
    expect((await cluster.manager.listSnapshots(anyFilter, firstPage)).items).to.have.length(1)
  })

  it('is in safe mode until the nodes have reported', async () => {
    const cluster = await start(2)
    expect((await cluster.manager.getStatus()).safeMode).to.equal(false)
    const before = await cluster.manager.getStatus()
    await cluster.restart()
    const after = await cluster.manager.getStatus()
    expect(after.clusterId).to.equal(before.clusterId)
    expect(after.epoch).to.equal(before.epoch + 1)
    expect(after.safeMode).to.equal(true)
    expect(after.nodes.map((node) => node.state)).to.deep.equal(['joining', 'joining'])
    await cluster.nodes[0]?.settle()
    await cluster.nodes[1]?.heartbeat()
    expect((await cluster.manager.getStatus()).safeMode).to.equal(true)
    await cluster.nodes[1]?.settle()
    expect((await cluster.manager.getStatus()).safeMode).to.equal(false)
  })

  it('places nothing on nodes that it has not heard of, but counts their copies', async () => {
    const cluster = await start(2)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a')])
    await cluster.restart()
    await expectError(cluster.allocate(session), 'not-enough-nodes')
    expect(await cluster.manager.lookupChunks(session, [chunk('a').chunkId])).to.deep.equal([true])
  })

  it('keeps what it promised and what it ordered', async () => {
    const cluster = await start(2)
    const session = await cluster.begin()
    const { packId } = await cluster.allocate(session, { lengthBytes: 5000 })
    await cluster.allocate(session, { lengthBytes: 700 })
    await cluster.manager.abandonPack({ session, packId, reason: '' })
    await cluster.restart()
    expect((await cluster.manager.listNodes()).map((node) => node.reservedBytes)).to.deep.equal([700, 700])
    await cluster.settleAll()
    const { orders, epoch } = await (cluster.nodes[0] as PaperNode).heartbeat()
    expect(orders.map((order) => order.epoch)).to.deep.equal([epoch])
    expect(epoch).to.equal(2)
  })

  it('still knows which disks are newer', async () => {
    const cluster = await start(2)
    await cluster.store(await cluster.begin(), [chunk('a')])
    await cluster.restart()
    const node = cluster.nodes[0] as PaperNode
    await expectError(node.register({ bootId: '1'.repeat(32), putSequence: 0 }), 'failed-precondition')
  })
})
