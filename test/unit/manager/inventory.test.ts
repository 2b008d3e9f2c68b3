import { expect } from 'chai'
import { randomHexId } from '../../../src/core/ids.ts'
import type { PackId } from '../../../src/core/ids.ts'
import { inventoryAgainMs, inventoryIntervalMs, nodeDeadAfterMs } from '../../../src/core/limits.ts'
import type { Heartbeat, InventoryReport, Order } from '../../../src/core/messages.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, chunk, firstPage, resultOf } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

async function putOf(cluster: PaperCluster, packId: PackId, node: PaperNode): Promise<number | undefined> {
  return cluster.catalogue.read(async (tx) => {
    const pack = await tx.packs.find(packId)
    const [copies = []] = await tx.copies.of([pack?.id ?? 0])
    const row = await tx.nodes.find(node.id)
    return copies.find((copy) => copy.node === row?.id)?.putSequence
  })
}

const kinds = (orders: readonly Order[]): string[] => orders.map(({ action }) => action.kind)

describe('the list of a node', () => {
  let cluster: PaperCluster
  let packId: PackId
  let node: PaperNode

  beforeEach(async () => {
    cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const allocation = await cluster.store(session, [chunk('a')])
    packId = allocation.packId
    node = cluster.node(allocation.primary.nodeId)
    await cluster.heartbeatAll()
  })

  it('takes away a copy that is not in it, and the pack counts as degraded', async () => {
    node.holdings.clear()
    await node.reportInventory()
    expect(await putOf(cluster, packId, node)).to.equal(undefined)
    expect((await cluster.manager.getStatus()).packsDegraded).to.equal(1)
    const { items } = await cluster.manager.listHistory('inventory', firstPage)
    expect(items.map((item) => item.detail)).to.deep.equal(['1 copies are missing'])
  })

  it('says nothing about a put that is newer than it', async () => {
    node.holdings.clear()
    await node.reportInventory({ asOfPutSequence: node.putSequence - 1 })
    expect(await putOf(cluster, packId, node)).to.equal(node.putSequence)
  })

  it('changes nothing when it is not newer than the last', async () => {
    await node.reportInventory({ reportNumber: 50 })
    await node.reportInventory({ reportNumber: 50, packs: [] })
    await node.reportInventory({ reportNumber: 49, packs: [] })
    expect(await putOf(cluster, packId, node)).to.equal(node.putSequence)
    await node.reportInventory({ reportNumber: 51, packs: [] })
    expect(await putOf(cluster, packId, node)).to.equal(undefined)
  })

  it('is refused from another registration', async () => {
    const registrationNumber = (node.registration?.registrationNumber ?? 0) + 1
    await expectError(node.reportInventory({ registrationNumber, packs: [] }), 'not-registered')
    await node.join({ bootId: randomHexId(cluster.random), putSequence: node.putSequence })
    await expectError(node.reportInventory({ registrationNumber: 1, packs: [] }), 'fenced')
    expect(await putOf(cluster, packId, node)).to.equal(1)
  })

  it('brings a copy back that the catalogue lacks, and follows a newer put', async () => {
    const other = cluster.nodes.find((each) => !each.holdings.has(packId)) as PaperNode
    const held = [...node.holdings.values()].find((entry) => entry.packId === packId)!
    other.putSequence = 7
    other.holdings.set(packId, { ...held, putSequence: 7, provenAtMs: 55 })
    await other.reportInventory()
    expect(await putOf(cluster, packId, other)).to.equal(7)
    other.putSequence = 9
    other.holdings.set(packId, { ...held, putSequence: 9 })
    await other.reportInventory()
    expect(await putOf(cluster, packId, other)).to.equal(9)
  })

  it('does not make a copy of a pack that has another length', async () => {
    const other = cluster.nodes.find((each) => !each.holdings.has(packId)) as PaperNode
    const held = node.holdings.get(packId)!
    other.putSequence = 7
    other.holdings.set(packId, { ...held, putSequence: 7, lengthBytes: held.lengthBytes - 1 })
    await other.reportInventory()
    expect(await putOf(cluster, packId, other)).to.equal(undefined)
    expect(kinds((await other.heartbeat()).orders)).to.deep.equal(['verify-pack'])
  })

  it('leaves packs alone that are being written', async () => {
    const session = await cluster.begin()
    const { ticket, primary, packId: open } = await cluster.allocate(session)
    const writer = cluster.node(primary.nodeId)
    writer.receipt(ticket, new Uint8Array(32))
    await writer.reportInventory()
    expect((await writer.heartbeat()).orders).to.deep.equal([])
    expect(await putOf(cluster, open, writer)).to.equal(undefined)
    expect((await cluster.manager.getStatus()).packsUnknown).to.equal(0)
  })

  it('has exactly the put of an abandoned pack ordered away', async () => {
    const session = await cluster.begin()
    const { ticket, primary, packId: gone } = await cluster.allocate(session)
    const writer = cluster.node(primary.nodeId)
    await cluster.manager.abandonPack({ session, packId: gone, reason: '' })
    const first = (await writer.heartbeat()).orders
    expect(kinds(first)).to.deep.equal(['drop-pack'])
    await writer.heartbeat({ results: first.map(({ orderId }) => resultOf(orderId)) })
    writer.receipt(ticket, new Uint8Array(32))
    await writer.reportInventory()
    const { orders } = await writer.heartbeat()
    expect(orders.map(({ action }) => action)).to.deep.equal([
      {
        kind: 'drop-pack',
        packId: gone,
        incarnation: writer.incarnation,
        putSequenceMax: writer.putSequence,
        generationMax: 1,
      },
    ])
    await writer.reportInventory()
    expect((await writer.heartbeat()).orders, 'once').to.have.length(1)
  })

  it('has nothing ordered away while another node has not told what it holds', async () => {
    const session = await cluster.begin()
    const { ticket, primary, packId: gone } = await cluster.allocate(session)
    const writer = cluster.node(primary.nodeId)
    await cluster.manager.abandonPack({ session, packId: gone, reason: '' })
    const first = (await writer.heartbeat()).orders
    await writer.heartbeat({ results: first.map(({ orderId }) => resultOf(orderId)) })
    writer.receipt(ticket, new Uint8Array(32))
    const other = cluster.nodes.find((each) => each !== writer) as PaperNode
    await other.register({ bootId: randomHexId(cluster.random), putSequence: other.putSequence })
    await writer.reportInventory()
    expect((await writer.heartbeat()).orders).to.deep.equal([])
    await other.settle()
    await writer.reportInventory()
    expect(kinds((await writer.heartbeat()).orders)).to.deep.equal(['drop-pack'])
  })

  it('never has a pack ordered away that the catalogue does not know, and tells of it', async () => {
    const unknown = randomHexId<PackId>(cluster.random)
    node.putSequence += 1
    const entry = { packId: unknown, generation: 1, putSequence: node.putSequence, lengthBytes: 10, provenAtMs: 0 }
    node.holdings.set(unknown, entry)
    await node.reportInventory()
    expect((await node.heartbeat()).orders).to.deep.equal([])
    expect(await cluster.manager.getStatus()).to.include({ packsUnknown: 1, packsDegraded: 0 })
    cluster.clock.advance(2 * inventoryAgainMs)
    await cluster.heartbeatAll()
    cluster.clock.advance(1000)
    expect((await node.heartbeat()).orders, 'the digest agrees with what was listed').to.deep.equal([])
    node.holdings.delete(unknown)
    await node.join({ bootId: randomHexId(cluster.random), putSequence: node.putSequence })
    expect((await cluster.manager.getStatus()).packsUnknown).to.equal(0)
  })

  describe('that was under way for long', () => {
    let slow: Partial<InventoryReport>

    beforeEach(() => {
      slow = { packs: [...node.holdings.values()], asOfPutSequence: node.putSequence }
      cluster.clock.advance(inventoryIntervalMs)
    })

    async function damageGoes(): Promise<void> {
      const problem = 'rot'
      await node.heartbeat({ damaged: [{ packId, putSequence: node.putSequence, problem, foundAtMs: 1 }] })
      await node.heartbeat({ damaged: [] })
    }

    it('does not bring back a copy that went meanwhile', async () => {
      await cluster.heartbeatAll()
      expect(kinds((await node.heartbeat()).orders)).to.deep.equal(['send-inventory'])
      await damageGoes()
      await node.reportInventory(slow)
      expect(await putOf(cluster, packId, node)).to.equal(undefined)
    })

    it('does not, either, when its sender had given up', async () => {
      const [asked] = (await node.heartbeat()).orders
      const problem = 'the manager did not answer in time'
      await node.heartbeat({ results: [resultOf(asked!.orderId, { done: false, problem })] })
      await damageGoes()
      await node.reportInventory(slow)
      expect(await putOf(cluster, packId, node)).to.equal(undefined)
    })

    it('does not, either, when another manager asked for it', async () => {
      await node.heartbeat({ damaged: [{ packId, putSequence: node.putSequence, problem: 'rot', foundAtMs: 1 }] })
      await cluster.open()
      await node.heartbeat({ damaged: [] })
      await node.reportInventory(slow)
      expect(await putOf(cluster, packId, node)).to.equal(undefined)
    })

    /** The list comes when what `heartbeat` changes is in the catalogue, and nothing that follows from it was done. */
    async function arrivesRightAfter(heartbeat: Partial<Heartbeat>): Promise<void> {
      const { catalogue } = cluster
      const write = catalogue.write.bind(catalogue)
      const committed = Promise.withResolvers<void>()
      const goesOn = Promise.withResolvers<void>()
      catalogue.write = async (work) => {
        const result = await write(work)
        catalogue.write = write
        committed.resolve()
        await goesOn.promise
        return result
      }
      const told = node.heartbeat(heartbeat)
      await committed.promise
      await node.reportInventory(slow)
      goesOn.resolve()
      await told
    }

    it('does not, either, between the end of an order to drop it and what follows from that', async () => {
      expect(kinds((await node.heartbeat()).orders)).to.deep.equal(['send-inventory'])
      const { putSequence, incarnation } = node
      await cluster.catalogue.write(async (tx) => {
        const [pack, row] = [await tx.packs.find(packId), await tx.nodes.find(node.id)]
        await tx.copies.remove(pack!.id, { node: row!.id, putSequence })
        const action = { packId, incarnation, putSequenceMax: putSequence, generationMax: 1 }
        await tx.orders.add(row!.id, { orderId: 'drop', action: { kind: 'drop-pack', ...action } })
      })
      await arrivesRightAfter({ results: [resultOf('drop')] })
      expect(await putOf(cluster, packId, node)).to.equal(undefined)
    })

    it('does not, either, between the news that a damaged one is gone and what follows from that', async () => {
      await node.heartbeat({ damaged: [{ packId, putSequence: node.putSequence, problem: 'rot', foundAtMs: 1 }] })
      await cluster.open()
      await arrivesRightAfter({ damaged: [] })
      expect(await putOf(cluster, packId, node)).to.equal(undefined)
    })
  })
})

describe('when a node is asked for its list', () => {
  it('is after each registration', async () => {
    const cluster = await PaperCluster.start(1)
    const [node] = cluster.nodes
    expect((await node!.heartbeat()).orders).to.deep.equal([])
    await node!.register({ bootId: randomHexId(cluster.random) })
    expect(kinds((await node!.heartbeat()).orders)).to.deep.equal(['send-inventory'])
  })

  it('is every six hours', async () => {
    const cluster = await PaperCluster.start(1)
    const [node] = cluster.nodes
    let asked = 0
    for (let passed = 0; passed < 24 * 3_600_000; passed += 300_000) {
      cluster.clock.advance(300_000)
      const { orders } = await node!.heartbeat()
      asked += orders.length
      if (orders.length > 0) await node!.settle()
    }
    expect(asked).to.equal((24 * 3_600_000) / inventoryIntervalMs)
  })

  it('is when it comes back from the dead', async () => {
    const cluster = await PaperCluster.start(1)
    const [node] = cluster.nodes
    cluster.clock.advance(nodeDeadAfterMs)
    expect(kinds((await node!.heartbeat()).orders)).to.deep.equal(['send-inventory'])
  })

  it('is when its digest differs twice in a row while nothing is on its way', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    await cluster.store(session, [chunk('a')])
    const [node] = cluster.nodes
    cluster.clock.advance(inventoryAgainMs)
    expect((await node!.heartbeat()).orders).to.deep.equal([])
    node!.holdings.clear()
    expect((await node!.heartbeat()).orders).to.deep.equal([])
    expect(kinds((await node!.heartbeat()).orders)).to.deep.equal(['send-inventory'])
  })

  it('is not while packs are on their way to it', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    await cluster.allocate(session)
    const [node] = cluster.nodes
    cluster.clock.advance(inventoryAgainMs / 2)
    await cluster.manager.renewSession(session)
    cluster.clock.advance(inventoryAgainMs / 2)
    for (let beat = 0; beat < 5; beat++) {
      const { orders } = await node!.heartbeat({ inventoryDigest: new Uint8Array(32).fill(9) })
      expect(orders).to.deep.equal([])
    }
  })
})
