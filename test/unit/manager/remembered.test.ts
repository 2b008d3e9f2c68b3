import { expect } from 'chai'
import type { PackId, SessionId } from '../../../src/core/ids.ts'
import type { OrderRow } from '../../../src/manager/catalogue-rows.ts'
import type { Catalogue } from '../../../src/manager/catalogue.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import type { Members } from '../../../src/manager/members.ts'
import { PendingOrders } from '../../../src/manager/pending-orders.ts'
import { SoundPacks } from '../../../src/manager/sound-packs.ts'
import { aNode, aSession, hex } from '../../support/catalogue-rows.ts'
import { PaperCluster } from './cluster-fixture.ts'

/** A catalogue with two nodes and so many packs, each with a copy on both. */
async function catalogueOf(packs: number): Promise<{ catalogue: Catalogue; rows: number[]; nodes: number[] }> {
  const catalogue = openSqliteCatalogue(':memory:')
  const { rows, nodes } = await catalogue.write(async (tx) => {
    await tx.vaults.add({ name: 'default', vaultId: Buffer.alloc(16), copies: 2, minCopies: 2 })
    const vault = (await tx.vaults.byName('default'))?.id ?? 0
    await tx.sessions.add(aSession(vault, 1))
    const session = (await tx.sessions.find(hex(1) as SessionId))?.id ?? 0
    const added = [(await tx.nodes.put(aNode(1, 'n1'))).id, (await tx.nodes.put(aNode(2, 'n2'))).id]
    const ids: number[] = []
    for (let n = 0; n < packs; n++) {
      const pack = { packId: hex(1000 + n) as PackId, vault, session, requestId: `${n}`, lengthBytes: 1 }
      const row = await tx.packs.add(pack)
      await tx.packs.settle(row, { state: 'committed', lengthBytes: 1 })
      for (const node of added) await tx.copies.add(row, { node, putSequence: n, provenAtMs: 0 })
      ids.push(row)
    }
    return { rows: ids, nodes: added }
  })
  return { catalogue, rows, nodes }
}

describe('what the manager remembers of sound packs', () => {
  const ask = (catalogue: Catalogue, sound: SoundPacks, packs: number[], minCopies = 2): Promise<Set<number>> =>
    catalogue.read((tx) => sound.among(tx, packs, minCopies))

  it('is forgotten when a node ceases to count', async () => {
    const { catalogue, rows, nodes } = await catalogueOf(3)
    let counted = nodes
    const sound = new SoundPacks({ counted: () => counted } as unknown as Members)
    expect(await ask(catalogue, sound, rows)).to.deep.equal(new Set(rows))
    counted = nodes.slice(1)
    expect(await ask(catalogue, sound, rows)).to.deep.equal(new Set())
    expect(await ask(catalogue, sound, rows, 1)).to.deep.equal(new Set(rows))
    counted = nodes
    expect(await ask(catalogue, sound, rows)).to.deep.equal(new Set(rows))
  })

  it('is forgotten when copies are', async () => {
    const { catalogue, rows, nodes } = await catalogueOf(3)
    const sound = new SoundPacks({ counted: () => nodes } as unknown as Members)
    expect(await ask(catalogue, sound, rows)).to.deep.equal(new Set(rows))
    await catalogue.write((tx) => tx.copies.dropNode(nodes[0]!))
    expect(await ask(catalogue, sound, rows)).to.deep.equal(new Set())
  })

  it('keeps packs apart, and asks for each only once', async () => {
    const { catalogue, rows, nodes } = await catalogueOf(20)
    const sound = new SoundPacks({ counted: () => nodes } as unknown as Members)
    const odd = rows.filter((row) => row % 2 === 1)
    expect(await ask(catalogue, sound, [...odd, 9999])).to.deep.equal(new Set(odd))
    const asked = await catalogue.read(async (tx) => {
      const lists: (readonly number[])[] = []
      const copies = { ...tx.copies, of: (packs: readonly number[]) => (lists.push(packs), tx.copies.of(packs)) }
      const found = await sound.among({ ...tx, copies }, rows, 2)
      return { lists, found }
    })
    expect(asked.found).to.deep.equal(new Set(rows))
    expect(asked.lists).to.deep.equal([rows.filter((row) => row % 2 === 0)])
  })
})

describe('what the manager remembers of orders', () => {
  const order: OrderRow = {
    orderId: hex(5),
    action: {
      kind: 'drop-pack',
      packId: hex(6) as PackId,
      incarnation: aNode(1, 'n1').ref.incarnation,
      putSequenceMax: 0,
      generationMax: 1,
    },
  }

  it('is that there are none, until one is given', async () => {
    const { catalogue, nodes } = await catalogueOf(0)
    const [node = 0, other = 0] = nodes
    let reads = 0
    const counting = { read: (work: Parameters<Catalogue['read']>[0]) => (reads++, catalogue.read(work)) }
    const pending = new PendingOrders(counting as unknown as Catalogue)
    for (let beat = 0; beat < 3; beat++) for (const one of nodes) expect(await pending.of(one, 10)).to.deep.equal([])
    expect(reads).to.equal(2)
    await catalogue.write(async (tx) => {
      pending.giving(node)
      await tx.orders.add(node, order)
    })
    for (let beat = 0; beat < 2; beat++) expect(await pending.of(node, 10)).to.have.length(1)
    expect(await pending.of(other, 10)).to.deep.equal([])
    expect(reads).to.equal(4)
    await catalogue.write((tx) => tx.orders.remove(node, order.orderId))
    for (let beat = 0; beat < 2; beat++) expect(await pending.of(node, 10)).to.deep.equal([])
    expect(reads).to.equal(5)
  })

  it('does not hide an order that is given while a heartbeat asks', async () => {
    const { catalogue, nodes } = await catalogueOf(0)
    const [node = 0] = nodes
    const pending = new PendingOrders(catalogue)
    const beat = pending.of(node, 10)
    const write = catalogue.write(async (tx) => {
      pending.giving(node)
      await tx.orders.add(node, order)
    })
    expect(await beat).to.deep.equal([])
    const during = pending.of(node, 10)
    await write
    expect(await during).to.have.length(1)
    expect(await pending.of(node, 10)).to.have.length(1)
  })

  it('does not hide what is ordered after many quiet heartbeats', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const { packId } = await cluster.allocate(session)
    for (const node of cluster.nodes) expect((await node.heartbeat()).orders).to.deep.equal([])
    await cluster.manager.abandonPack({ session, packId, reason: 'test' })
    for (const node of cluster.nodes) expect((await node.heartbeat()).orders).to.have.length(1)
  })
})

describe('what the manager remembers of what nodes said', () => {
  it('answers a node that says nothing new without the catalogue', async () => {
    const cluster = await PaperCluster.start(3)
    for (let beat = 0; beat < 3; beat++) await cluster.heartbeatAll()
    let transactions = 0
    const { catalogue } = cluster
    const { read, write } = catalogue
    catalogue.read = (work) => (transactions++, read.call(catalogue, work)) as ReturnType<typeof work>
    catalogue.write = (work) => (transactions++, write.call(catalogue, work)) as ReturnType<typeof work>
    const replies = await Promise.all(cluster.nodes.map((node) => node.heartbeat()))
    expect(transactions).to.equal(0)
    for (const [at, { logHead, logEntries }] of replies.entries()) {
      expect(logEntries).to.deep.equal([])
      expect(logHead?.sequence).to.be.greaterThan(0).and.to.equal(cluster.nodes[at]?.log.log?.sequence)
    }
    await cluster.begin()
    await cluster.backup(['a'])
    expect((await cluster.nodes[0]?.heartbeat())?.logEntries, 'what is new').not.to.deep.equal([])
  })

  for (const [what, bend] of [
    ['another entry of the same number', { log: { hash: Buffer.alloc(32, 9) } }],
    ['another entry that it only heard of', { witnessed: { hash: Buffer.alloc(32, 9) } }],
    ['a later epoch', { witnessed: { epoch: 99 } }],
  ] as const) {
    it(`does not hide ${what}`, async () => {
      const cluster = await PaperCluster.start(3)
      for (let beat = 0; beat < 3; beat++) await cluster.heartbeatAll()
      const [node] = cluster.nodes
      const report = Object.fromEntries(
        Object.entries(bend).map(([key, more]) => [key, { ...node?.log[key as keyof typeof bend], ...more }]),
      )
      expect((await node?.heartbeat(report))?.logHead).to.equal(undefined)
      expect((await cluster.manager.getStatus()).lineage).to.equal('rolled-back')
      expect((await node?.heartbeat())?.logHead, 'nobody follows it any more').to.equal(undefined)
    })
  }
})
