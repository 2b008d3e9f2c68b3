import { expect } from 'chai'
import type { Incarnation, NodeId, PackId } from '../../../src/core/ids.ts'
import { reservationAuditMs } from '../../../src/core/limits.ts'
import { readTicketUnchecked, signTicket } from '../../../src/format/tickets.ts'
import { createSigner } from '../../../src/format/signing.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, chunk, treeOf } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

async function located(cluster: PaperCluster, name: string): Promise<string[] | undefined> {
  const [location] = await cluster.manager.locateChunks('', [chunk(name).chunkId])
  return location?.pack.nodes.map((node) => node.name)
}

describe('packs', () => {
  it('are allocated on distinct nodes, once for each request', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const request = { session, requestId: 'r', lengthBytes: 1000, excludeNodeIds: [] }
    const first = await cluster.manager.allocatePack(request)
    const again = await cluster.manager.allocatePack(request)
    expect(again).to.deep.equal(first)
    expect(first.replicas).to.have.length(1)
    expect(first.replicas[0]?.nodeId).not.to.equal(first.primary.nodeId)
    const infos = await cluster.manager.listNodes()
    expect(infos.map((info) => info.reservedBytes).toSorted()).to.deep.equal([0, 1000, 1000])
  })

  it('give back the room that was reserved for them, also when the answer that they are settled was lost', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const lost = await cluster.allocate(session, { lengthBytes: 300 })
    await cluster.allocate(session, { lengthBytes: 40 })
    // As the transaction leaves it, of which the manager never hears.
    await cluster.catalogue.write(async (tx) => {
      const row = await tx.packs.find(lost.packId)
      await tx.packs.settle(row!.id, { state: 'abandoned', lengthBytes: 300 })
    })
    for (let passedMs = 0; passedMs < 2.5 * reservationAuditMs; passedMs += 1000) {
      cluster.clock.advance(1000)
      await cluster.manager.renewSession(session)
      await cluster.heartbeatAll()
      await cluster.manager.sweep()
    }
    const infos = await cluster.manager.listNodes()
    expect(infos.map((info) => info.reservedBytes)).to.deep.equal([40, 40])
  })

  it('are not allocated for a length that no pack has', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    for (const lengthBytes of [0, -1, 1.5, 64 * 1024 * 1024 + 1]) {
      await expectError(cluster.allocate(session, { lengthBytes }), 'invalid-argument')
    }
  })

  it('avoid a node that failed while there are others, and take it rather than fail', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const [n1, n2] = cluster.nodes as [PaperNode, PaperNode]
    for (let turn = 0; turn < 20; turn++) {
      const { primary, replicas } = await cluster.allocate(session, { excludeNodeIds: [n1.id] })
      expect([primary, ...replicas].map((node) => node.nodeId)).not.to.include(n1.id)
    }
    const { primary } = await cluster.allocate(session, { excludeNodeIds: [n1.id, n2.id] })
    expect(primary.nodeId).to.be.a('string')
  })

  it('go through the primary that is asked for, or through another when it cannot', async () => {
    const cluster = await PaperCluster.start(4)
    const session = await cluster.begin()
    const [n1, n2, n3, n4] = cluster.nodes as [PaperNode, PaperNode, PaperNode, PaperNode]
    const wish = { primaryNodeId: n1.id, excludeNodeIds: [n3.id, n4.id], lengthBytes: 1000 }
    for (let turn = 0; turn < 20; turn++) {
      const { primary, replicas } = await cluster.allocate(session, wish)
      expect([primary, ...replicas].map((node) => node.nodeId)).to.deep.equal([n1.id, n2.id])
    }
    await n1.heartbeat({ writable: false })
    const { primary } = await cluster.allocate(session, wish)
    expect(primary.nodeId).not.to.equal(n1.id)
  })

  it('need enough nodes that are up', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    cluster.clock.advance(6000)
    await cluster.nodes[0]?.heartbeat()
    const error = await expectError(cluster.allocate(session), 'not-enough-nodes')
    expect(error.message).to.contain('needs 2')
    await cluster.nodes[1]?.heartbeat({ writable: false })
    await expectError(cluster.allocate(session), 'not-enough-nodes')
    await cluster.nodes[1]?.heartbeat()
    await cluster.allocate(session)
  })

  it('need room, counting what is promised already', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const freeBytes = 64 * 1024 * 1024 + 1500
    for (const node of cluster.nodes) await node.heartbeat({ freeBytes })
    const first = await cluster.allocate(session, { lengthBytes: 1000 })
    const error = await expectError(cluster.allocate(session, { lengthBytes: 1000 }), 'no-room')
    expect(error.message).to.contain('no storage node has room')
    await cluster.manager.abandonPack({ session, packId: first.packId, reason: 'test' })
    await expectError(cluster.allocate(session, { lengthBytes: 1000 }), 'no-room')
    for (const node of cluster.nodes) await node.heartbeat({ freeBytes })
    await cluster.allocate(session, { lengthBytes: 1000 })
  })

  it('are committed once, and found from then on', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    expect(session.vaultEmpty).to.equal(true)
    expect(await located(cluster, 'a')).to.equal(undefined)
    const allocation = await cluster.allocate(session)
    const request = { ticket: allocation.ticket, receipts: cluster.receipts(allocation), entries: [chunk('a')] }
    await cluster.manager.commitPack(request)
    await cluster.manager.commitPack(request)
    expect(await cluster.manager.lookupChunks(session, [chunk('a').chunkId, chunk('b').chunkId])).to.deep.equal([
      true,
      false,
    ])
    expect(await located(cluster, 'a')).to.have.members([allocation.primary.name, allocation.replicas[0]?.name])
    expect(await cluster.manager.getStatus()).to.include({ packs: 1, chunks: 1, storedBytes: 100_000 })
    expect((await cluster.begin()).vaultEmpty).to.equal(false)
  })

  it('are not committed with a ticket that this manager did not sign', async () => {
    const cluster = await PaperCluster.start(2)
    const allocation = await cluster.allocate(await cluster.begin())
    const claims = readTicketUnchecked(allocation.ticket)
    const ticket = signTicket(claims, createSigner(new Uint8Array(32)))
    const receipts = cluster.receipts(allocation)
    await expectError(cluster.manager.commitPack({ ticket, receipts, entries: [chunk('a')] }), 'permission-denied')
    const bent = { ...allocation.ticket, signature: allocation.ticket.signature.map((byte) => byte ^ 1) }
    await expectError(
      cluster.manager.commitPack({ ticket: bent, receipts, entries: [chunk('a')] }),
      'permission-denied',
    )
    const failedNodeId = allocation.replicas[0]?.nodeId ?? ('' as NodeId)
    await expectError(cluster.manager.replaceReplica({ ticket, failedNodeId, reason: '' }), 'permission-denied')
  })

  describe('need receipts', () => {
    async function commitWith(
      change: (cluster: PaperCluster, nodes: [PaperNode, PaperNode]) => Parameters<PaperNode['receipt']>[2],
    ): Promise<() => Promise<void>> {
      const cluster = await PaperCluster.start(2)
      const { ticket } = await cluster.allocate(await cluster.begin())
      const nodes = cluster.nodes as [PaperNode, PaperNode]
      const digest = new Uint8Array(32)
      const receipts = [nodes[0].receipt(ticket, digest), nodes[1].receipt(ticket, digest, change(cluster, nodes))]
      return () => cluster.manager.commitPack({ ticket, receipts, entries: [chunk('a')] })
    }

    it('that are as good as this', async () => {
      await (
        await commitWith(() => ({}))
      )()
    })

    it('of the same pack', async () => {
      const commit = await commitWith(() => ({ packId: 'a'.repeat(32) as PackId }))
      await expectError(commit(), 'permission-denied')
    })

    it('from nodes that exist', async () => {
      await expectError((await commitWith(() => ({ nodeId: 'a'.repeat(32) as NodeId })))(), 'permission-denied')
    })

    it('that the node signed itself', async () => {
      const commit = await commitWith((_, [n1]) => ({ nodeId: n1.id, incarnation: n1.request.node.incarnation }))
      await expectError(commit(), 'permission-denied')
    })

    it('from the present life of the store', async () => {
      const commit = await commitWith(() => ({ incarnation: 'b'.repeat(32) as Incarnation }))
      await expectError(commit(), 'failed-precondition')
    })

    it('for the same bytes', async () => {
      await expectError((await commitWith(() => ({ digest: new Uint8Array(32).fill(1) })))(), 'integrity')
      await expectError((await commitWith(() => ({ lengthBytes: 5 })))(), 'integrity')
    })

    it('from enough distinct nodes', async () => {
      const cluster = await PaperCluster.start(2)
      const { ticket } = await cluster.allocate(await cluster.begin())
      const [n1] = cluster.nodes as [PaperNode, PaperNode]
      const receipts = [n1.receipt(ticket, new Uint8Array(32)), n1.receipt(ticket, new Uint8Array(32))]
      const commit = cluster.manager.commitPack({ ticket, receipts, entries: [chunk('a')] })
      await expectError(commit, 'failed-precondition')
      expect(await located(cluster, 'a')).to.equal(undefined)
    })
  })

  it('take trees only when everything that they refer to is committed', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const [a, b] = [chunk('a'), chunk('b')]
    await expectError(cluster.store(session, [treeOf([a, b])]), 'failed-precondition')
    await cluster.store(session, [a])
    await expectError(cluster.store(session, [treeOf([a, b])]), 'failed-precondition')
    await cluster.store(session, [b, treeOf([a, b])])
  })

  it('are refused when their records make no sense', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const a = chunk('a')
    for (const entries of [
      [],
      [{ ...a, offset: 99_500 }],
      [{ ...a, length: 0 }],
      [{ ...a, refs: new Uint8Array(32) }],
      [{ ...a, kind: 'tree' as const, refs: new Uint8Array(31) }],
      [{ ...a, kind: 'snapshot' as const, refs: new Uint8Array(64) }],
    ]) {
      await expectError(cluster.store(session, entries), 'invalid-argument')
    }
  })

  it('keep the first place of a chunk, until that has too few copies left', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const first = await cluster.store(session, [chunk('a')])
    await cluster.store(session, [chunk('a'), chunk('b')])
    const place = async (): Promise<string | undefined> =>
      (await cluster.manager.locateChunks('', [chunk('a').chunkId]))[0]?.pack.packId
    expect(await place()).to.equal(first.packId)
    const lost = cluster.node(first.primary.nodeId)
    for (let second = 0; second < 600; second += 30) {
      cluster.clock.advance(30_000)
      await cluster.heartbeatAll([lost])
      await cluster.manager.renewSession(session)
    }
    expect(await cluster.manager.lookupChunks(session, [chunk('a').chunkId])).to.deep.equal([false])
    const second = await cluster.store(session, [chunk('a')])
    expect(await place()).to.equal(second.packId)
    expect(await cluster.manager.lookupChunks(session, [chunk('a').chunkId])).to.deep.equal([true])
    expect(await cluster.manager.getStatus()).to.include({ chunks: 2, packs: 3 })
  })

  describe('that lose a replica', () => {
    it('get another, the same one for the same question', async () => {
      const cluster = await PaperCluster.start(3)
      const session = await cluster.begin()
      const { ticket, packId, primary, replicas } = await cluster.allocate(session)
      const failedNodeId = replicas[0]?.nodeId ?? ('' as NodeId)
      const request = { ticket, failedNodeId, reason: 'gone' }
      const first = await cluster.manager.replaceReplica(request)
      expect(await cluster.manager.replaceReplica(request)).to.deep.equal(first)
      expect([primary.nodeId, failedNodeId]).not.to.include(first.replica.nodeId)
      const claims = readTicketUnchecked(first.ticket)
      expect(claims).to.include({ packId, generation: 2 })
      const receipts = cluster.receipts(first)
      await cluster.manager.commitPack({ ticket: first.ticket, receipts, entries: [chunk('a')] })
      expect(await located(cluster, 'a')).to.have.members([primary.name, first.replica.name])
      const { orders } = await cluster.node(failedNodeId).heartbeat()
      expect(orders.map((order) => order.action)).to.deep.equal([
        {
          kind: 'drop-pack',
          packId,
          incarnation: cluster.node(failedNodeId).request.node.incarnation,
          putSequenceMax: 0,
          generationMax: 2,
        },
      ])
    })

    it('get none when nobody is left', async () => {
      const cluster = await PaperCluster.start(2)
      const { ticket, replicas } = await cluster.allocate(await cluster.begin())
      const failedNodeId = replicas[0]?.nodeId ?? ('' as NodeId)
      await expectError(cluster.manager.replaceReplica({ ticket, failedNodeId, reason: '' }), 'not-enough-nodes')
    })

    it('get none for a node that is no replica, for an old ticket, or once they are settled', async () => {
      const cluster = await PaperCluster.start(3)
      const session = await cluster.begin()
      const { ticket, packId, primary, replicas } = await cluster.allocate(session)
      const reason = ''
      const failedNodeId = replicas[0]?.nodeId ?? ('' as NodeId)
      const { replaceReplica } = { replaceReplica: cluster.manager.replaceReplica.bind(cluster.manager) }
      await expectError(replaceReplica({ ticket, failedNodeId: primary.nodeId, reason }), 'invalid-argument')
      await cluster.manager.abandonPack({ session, packId, reason })
      await expectError(replaceReplica({ ticket, failedNodeId, reason }), 'failed-precondition')
      cluster.clock.advance(16 * 60_000)
      await expectError(replaceReplica({ ticket, failedNodeId, reason }), 'permission-denied')
    })
  })

  describe('that are abandoned', () => {
    it('can never be committed, and are dropped wherever they may be', async () => {
      const cluster = await PaperCluster.start(2)
      const session = await cluster.begin()
      const allocation = await cluster.allocate(session)
      const { packId, ticket } = allocation
      const request = { session, packId, reason: 'test' }
      expect(await cluster.manager.abandonPack(request)).to.deep.equal({ committed: false, nodes: [] })
      expect(await cluster.manager.abandonPack(request)).to.deep.equal({ committed: false, nodes: [] })
      const receipts = cluster.receipts(allocation)
      const commit = cluster.manager.commitPack({ ticket, receipts, entries: [chunk('a')] })
      await expectError(commit, 'failed-precondition')
      for (const node of cluster.nodes) {
        const { orders } = await node.heartbeat()
        expect(orders).to.have.length(1)
        const results = [
          { orderId: orders[0]?.orderId ?? '', done: false, problem: 'busy', code: undefined, receipt: undefined },
        ]
        const again = await node.heartbeat({ results })
        expect(again.orders).to.deep.equal(orders)
        const done = await node.heartbeat({
          results: [
            { orderId: orders[0]?.orderId ?? '', done: true, problem: '', code: undefined, receipt: undefined },
          ],
        })
        expect(done.orders).to.deep.equal([])
      }
    })

    it('say so when they had been committed before', async () => {
      const cluster = await PaperCluster.start(2)
      const session = await cluster.begin()
      const { packId } = await cluster.store(session, [chunk('a')])
      const fate = await cluster.manager.abandonPack({ session, packId, reason: 'lost answer' })
      expect(fate.committed).to.equal(true)
      expect(fate.nodes.map((node) => node.name)).to.have.members(['n1', 'n2'])
      expect((await cluster.nodes[0]?.heartbeat())?.orders).to.deep.equal([])
    })

    it('are either abandoned or committed when both are asked for at once', async () => {
      for (let round = 0; round < 20; round++) {
        const cluster = await PaperCluster.start(2)
        const session = await cluster.begin()
        const allocation = await cluster.allocate(session)
        const { packId, ticket } = allocation
        const commit = (): Promise<boolean> =>
          cluster.manager.commitPack({ ticket, receipts: cluster.receipts(allocation), entries: [chunk('a')] }).then(
            () => true,
            () => false,
          )
        const wait = async (turns: number): Promise<void> => {
          for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        }
        const [committed, fate] = await Promise.all([
          commit(),
          wait(round * 3).then(() => cluster.manager.abandonPack({ session, packId, reason: 'race' })),
        ])
        expect(fate.committed).to.equal(committed)
        expect((await located(cluster, 'a')) !== undefined).to.equal(committed)
      }
    })

    it('belong to the session that allocated them', async () => {
      const cluster = await PaperCluster.start(2)
      const { packId } = await cluster.allocate(await cluster.begin())
      const other = await cluster.begin()
      await expectError(cluster.manager.abandonPack({ session: other, packId, reason: '' }), 'not-found')
    })
  })
})
