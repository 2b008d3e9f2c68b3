import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PackId } from '../../../src/core/ids.ts'
import { nodeDeadAfterMs } from '../../../src/core/limits.ts'
import { readTicketUnchecked } from '../../../src/format/tickets.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, chunk } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'
import { ObedientCluster } from './obedient-cluster.ts'

const kindsFor = async (node: PaperNode): Promise<string[]> =>
  (await node.heartbeat()).orders.map(({ action }) => action.kind)

describe('repair by a catalogue that may not be the newest', () => {
  let directory = ''
  let path = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'twofold-repair-lineage-'))
    path = join(directory, 'catalogue.db')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('has nothing ordered away before enough nodes confirm it', async () => {
    const paper = await PaperCluster.start(3, { path })
    const session = await paper.begin()
    const { ticket, packId, primary } = await paper.allocate(session)
    await paper.manager.abandonPack({ session, packId, reason: '' })
    const cluster = new ObedientCluster(paper)
    await cluster.run(3)
    const writer = paper.node(primary.nodeId)
    const [other] = paper.nodes.filter((node) => node !== writer)
    await paper.restart()
    paper.clock.advance(nodeDeadAfterMs)
    writer.receipt(ticket, new Uint8Array(32))
    await writer.settle()
    expect(await paper.manager.getStatus()).to.include({ safeMode: false, lineage: 'unverified' })
    expect(await kindsFor(writer)).to.deep.equal([])
    expect(await paper.catalogue.read((tx) => tx.orders.ofPack(packId)), 'not even in mind').to.deep.equal([])
    await other!.settle()
    expect(await paper.manager.getStatus()).to.include({ lineage: 'verified' })
    await writer.reportInventory()
    expect(await kindsFor(writer)).to.deep.equal(['drop-pack'])
  })

  it('still copies what has too few copies', async () => {
    const paper = await PaperCluster.start(4, { path })
    const cluster = new ObedientCluster(paper)
    const packs = await cluster.fill(4)
    const [lost, alsoLost] = cluster.nodes
    for (const node of [lost!, alsoLost!]) cluster.silent.add(node)
    await paper.restart()
    await cluster.run(nodeDeadAfterMs / 1000 + 60)
    expect(await paper.manager.getStatus()).to.include({ lineage: 'unverified' })
    const left = cluster.nodes.slice(2)
    const held = packs.filter((packId) => left.some((node) => node.holdings.has(packId)))
    expect(held).not.to.have.length(0)
    for (const packId of held) for (const node of left) expect(node.holdings.has(packId), packId).to.equal(true)
  })

  it('does nothing at all when it is known to be an older one', async () => {
    const paper = await PaperCluster.start(4, { path })
    const cluster = new ObedientCluster(paper)
    const [first] = await cluster.fill(2)
    await paper.restart(() => copyFileSync(path, `${path}.old`))
    await cluster.run(3)
    await paper.backup(['later'])
    await cluster.run(3)
    await paper.restart(() => copyFileSync(`${path}.old`, path))
    await cluster.run(3)
    expect(await paper.manager.getStatus()).to.include({ lineage: 'rolled-back' })
    const [holder] = cluster.holders(first!)
    const given = cluster.given.length
    await cluster.die(holder!)
    await cluster.run(60)
    expect(cluster.given.slice(given).map(({ order }) => order.action.kind)).not.to.include('copy-pack')
    const { nodeAdmin } = paper.manager
    const request = { node: 'n1', dryRun: false, force: false, actor: 'test' }
    await expectError(nodeAdmin.drainNode(request), 'failed-precondition')
    await expectError(nodeAdmin.rebalance({ dryRun: false, stop: false, actor: 'test' }), 'failed-precondition')
    expect(await nodeAdmin.drainNode({ ...request, dryRun: true })).to.include({ changed: true })
  })

  it('orders copies under a newer generation than any that a node has told of', async () => {
    const cluster = await ObedientCluster.start(3)
    const [packId] = await cluster.fill(1)
    for (const holder of cluster.holders(packId!)) {
      const held = holder.holdings.get(packId!)!
      holder.holdings.set(packId as PackId, { ...held, generation: 9 })
      await holder.reportInventory()
    }
    await cluster.die(cluster.holders(packId!)[0]!)
    await cluster.run(10)
    const [order] = cluster.orders('copy-pack')
    const action = order?.action.kind === 'copy-pack' ? order.action : undefined
    expect(readTicketUnchecked(action!.ticket).generation).to.be.greaterThan(9)
  })

  it('shows new copies at once', async () => {
    const cluster = await ObedientCluster.start(3)
    await cluster.paper.backup(['a'])
    await cluster.run(2)
    const packs = cluster.nodes.flatMap((node) => [...node.holdings.keys()])
    const [holder] = cluster.holders(packs[0]!)
    cluster.silent.add(holder!)
    cluster.answer = (_, { action }) => (action.kind === 'copy-pack' ? 'ignore' : undefined)
    await cluster.die(holder!)
    expect((await cluster.paper.manager.getStatus()).packsDegraded).to.be.greaterThan(0)
    cluster.answer = () => undefined
    await cluster.run(60)
    expect(await cluster.paper.manager.getStatus()).to.include({ packsDegraded: 0, packsUnavailable: 0 })
    const page = { pageSize: 0, pageToken: '' }
    const filter = { vault: '', host: '', paths: [], tags: [] }
    const { items } = await cluster.paper.manager.listSnapshots(filter, page)
    expect(items[0]?.durability).to.include({ copies: 2, packsDegraded: 0 })
    const session = await cluster.paper.begin()
    expect(await cluster.paper.manager.lookupChunks(session, [chunk('a').chunkId])).to.deep.equal([true])
  })
})
