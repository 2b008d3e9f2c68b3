import { expect } from 'chai'
import type { ClusterId, Incarnation } from '../../../src/core/ids.ts'
import { rolledBackFrom } from '../../../src/core/rolled-back.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, PaperNode, chunk } from './cluster-fixture.ts'

describe('registration', () => {
  it('gives the same process the same answer', async () => {
    const cluster = await PaperCluster.start(0)
    const node = new PaperNode(cluster, { name: 'n1' })
    const first = await node.register()
    const second = await node.register()
    expect(second.registrationNumber).to.equal(first.registrationNumber)
    expect(second.clusterId).to.equal(first.clusterId)
    const { items } = await cluster.manager.listHistory('register', { pageSize: 0, pageToken: '' })
    expect(items).to.have.length(1)
  })

  it('refuses what cannot be a node', async () => {
    const cluster = await PaperCluster.start(0)
    const node = new PaperNode(cluster, { name: 'n1' })
    const { node: ref } = node.request
    for (const bad of [
      { capacityBytes: 0 },
      { capacityBytes: -5 },
      { capacityBytes: 1.5 },
      { capacityBytes: NaN },
      { node: { ...ref, name: '' } },
      { node: { ...ref, name: '-n' } },
      { node: { ...ref, name: 'a/b' } },
      { node: { ...ref, name: 'x'.repeat(64) } },
      { node: { ...ref, address: '' } },
      { node: { ...ref, address: 'host' } },
      { node: { ...ref, address: 'host:0' } },
      { node: { ...ref, address: 'host:70000' } },
      { node: { ...ref, address: 'http://host:1' } },
      { publicKey: new Uint8Array(31) },
      { bootId: 'x' },
    ]) {
      await expectError(node.register(bad), 'invalid-argument')
    }
    expect(await cluster.manager.listNodes()).to.deep.equal([])
    await node.register({ node: { ...ref, address: '[::1]:7401' } })
  })

  it('refuses a name that another node has, dead or alive, and says who', async () => {
    const cluster = await PaperCluster.start(1)
    const other = new PaperNode(cluster, { name: 'n1' })
    const holder = cluster.nodes[0] as PaperNode
    const error = await expectError(other.register(), 'already-exists')
    expect(error.message).to.contain(holder.id).and.to.contain('n1.test:7401')
    cluster.clock.advance(3_600_000)
    await expectError(other.register(), 'already-exists')
  })

  it('refuses a node of another cluster', async () => {
    const cluster = await PaperCluster.start(0)
    const node = new PaperNode(cluster, { name: 'n1' })
    const clusterId = 'f'.repeat(32) as ClusterId
    await expectError(node.register({ clusterId }), 'failed-precondition')
    const { clusterId: ours } = await node.register()
    await node.register({ clusterId: ours })
  })

  it('knows a process by more than its number, which another one had before the catalogue was made again', async () => {
    const cluster = await PaperCluster.start(1)
    const node = cluster.nodes[0] as PaperNode
    const { bootId } = node.request
    await node.heartbeat({ bootId })
    await node.reportInventory({ bootId })
    await expectError(node.heartbeat({ bootId: '1'.repeat(32) }), 'not-registered')
    await expectError(node.reportInventory({ bootId: '1'.repeat(32) }), 'not-registered')
  })

  it('lets a restarted process take over at the same address, and fences the older one', async () => {
    const cluster = await PaperCluster.start(1)
    const node = cluster.nodes[0] as PaperNode
    const first = node.registration
    const second = await node.register({ bootId: '1'.repeat(32) })
    expect(second.registrationNumber).to.be.greaterThan(first?.registrationNumber ?? 0)
    await expectError(node.heartbeat({ registrationNumber: first?.registrationNumber ?? 0 }), 'fenced')
    await expectError(cluster.manager.register(node.request), 'fenced')
    expect((await cluster.manager.listNodes())[0]?.state).to.equal('joining')
    await node.heartbeat()
    expect((await cluster.manager.listNodes())[0]?.state).to.equal('up')
  })

  it('refuses a second process elsewhere on the same store while the first is alive', async () => {
    const cluster = await PaperCluster.start(1)
    const node = cluster.nodes[0] as PaperNode
    const elsewhere = { bootId: '1'.repeat(32), node: { ...node.request.node, address: 'other.test:1' } }
    const error = await expectError(node.register(elsewhere), 'already-exists')
    expect(error.retryAfterMs).to.be.within(1, 5000)
    cluster.clock.advance(5000)
    await node.register(elsewhere)
    expect((await cluster.manager.listNodes())[0]?.node.address).to.equal('other.test:1')
  })

  it('recognises a disk that was rolled back', async () => {
    const cluster = await PaperCluster.start(2)
    await cluster.store(await cluster.begin(), [chunk('a')])
    const node = cluster.nodes[0] as PaperNode
    const error = await expectError(node.register({ bootId: '1'.repeat(32), putSequence: 0 }), 'failed-precondition')
    expect(error.message).to.contain('rolled back')
    expect(rolledBackFrom(error)).to.equal(1)
    await node.register({ bootId: '2'.repeat(32), putSequence: 1 })
  })

  it('lets a disk that was rolled back go on as a new store, with no copy until it has reported', async () => {
    const cluster = await PaperCluster.start(2)
    await cluster.store(await cluster.begin(), [chunk('a')])
    const node = cluster.nodes[0] as PaperNode
    const bootId = '1'.repeat(32)
    for (let turn = 0; turn < 2; turn++) {
      const error = await expectError(node.register({ bootId, putSequence: 0 }), 'failed-precondition')
      expect(rolledBackFrom(error), 'the same each time').to.equal(1)
    }
    const incarnation = 'e'.repeat(32) as Incarnation
    await node.register({ bootId, putSequence: 0, node: { ...node.request.node, incarnation } })
    expect(await cluster.manager.getStatus()).to.include({ packsDegraded: 1, packsUnavailable: 0 })
  })

  it('forgets the copies of a store that came back as another', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a')])
    const { packId } = await cluster.allocate(session)
    await cluster.manager.abandonPack({ session, packId, reason: '' })
    const node = cluster.nodes[0] as PaperNode
    const incarnation = 'e'.repeat(32) as Incarnation
    await node.register({ bootId: '1'.repeat(32), node: { ...node.request.node, incarnation } })
    const { orders } = await node.heartbeat({ incarnation })
    const kinds = orders.map(({ action }) => action.kind)
    expect(kinds, 'orders for the old store').to.deep.equal(['send-inventory'])
    expect(await cluster.manager.lookupChunks(session, [chunk('a').chunkId])).to.deep.equal([false])
    expect(await cluster.manager.getStatus()).to.include({ packsDegraded: 1, packsUnavailable: 0 })
    const [location] = await cluster.manager.locateChunks('', [chunk('a').chunkId])
    expect(location?.pack.nodes.map((ref) => ref.name)).to.deep.equal(['n2'])
  })
})

describe('heartbeats', () => {
  it('of nobody are answered with a request to register', async () => {
    const cluster = await PaperCluster.start(0)
    await expectError(new PaperNode(cluster, { name: 'n1' }).heartbeat(), 'not-registered')
  })

  it('that are late or repeated change nothing, but are answered', async () => {
    const cluster = await PaperCluster.start(1)
    const node = cluster.nodes[0] as PaperNode
    await node.heartbeat({ sequence: 10, usedBytes: 500 })
    await node.heartbeat({ sequence: 9, usedBytes: 400 })
    const reply = await node.heartbeat({ sequence: 10, usedBytes: 300 })
    expect(reply.state).to.equal('up')
    expect((await cluster.manager.listNodes())[0]?.usedBytes).to.equal(500)
  })

  it('do not count as signs of life when they are late', async () => {
    const cluster = await PaperCluster.start(1)
    const node = cluster.nodes[0] as PaperNode
    await node.heartbeat({ sequence: 10 })
    cluster.clock.advance(6000)
    expect((await node.heartbeat({ sequence: 10 })).state).to.equal('suspect')
  })

  it('give the same time whatever happens to the wall clock', async () => {
    const cluster = await PaperCluster.start(1)
    const node = cluster.nodes[0] as PaperNode
    const before = (await node.heartbeat()).managerTimeMs
    cluster.clock.setWall(0)
    cluster.clock.advance(1000)
    const after = await node.heartbeat()
    expect(after.managerTimeMs - before).to.equal(1000)
    expect(after.state).to.equal('up')
  })
})
