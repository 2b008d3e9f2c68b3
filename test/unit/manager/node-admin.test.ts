import { expect } from 'chai'
import { expectError } from '../../support/expect-error.ts'
import { ObedientCluster } from './obedient-cluster.ts'
import { chunk, firstPage } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

const ask = (node: PaperNode, more: { dryRun?: boolean; force?: boolean } = {}) => ({
  node: node.request.node.name,
  dryRun: false,
  force: false,
  actor: 'ada',
  ...more,
})

function stateOf(cluster: ObedientCluster, node: PaperNode): Promise<string | undefined> {
  return cluster.paper.manager.listNodes().then((infos) => infos.find((info) => info.node.nodeId === node.id)?.state)
}

describe('draining a node', () => {
  it('copies what it has to others, empties it, and only then says so', async () => {
    const cluster = await ObedientCluster.start(4)
    const packs = await cluster.fill(12)
    const node = cluster.node(0)
    const { nodeAdmin } = cluster.paper.manager
    const held = node.holdings.size
    const preview = await nodeAdmin.drainNode(ask(node, { dryRun: true }))
    expect(preview).to.include({ state: 'up', changed: true, packs: held, short: held, lastCopies: 0 })
    expect(preview.targets.map((target) => target.node)).to.deep.equal(['n2', 'n3', 'n4'])
    expect(await stateOf(cluster, node)).to.equal('up')

    expect(await nodeAdmin.drainNode(ask(node))).to.include({ state: 'draining', changed: true })
    expect(await nodeAdmin.drainNode(ask(node))).to.include({ state: 'draining', changed: false })
    await cluster.run(2)
    const tasks = await nodeAdmin.listTasks()
    expect(tasks.map((task) => task.kind)).to.include.members(['repair', 'drain'])
    await cluster.run(120)
    expect(await stateOf(cluster, node)).to.equal('drained')
    expect(node.holdings.size).to.equal(0)
    for (const pack of packs) expect(cluster.holders(pack)).to.have.length(2)
    expect(await nodeAdmin.listTasks()).to.deep.equal([])
  })

  it('of a few packs takes a few seconds', async () => {
    const cluster = await ObedientCluster.start(4)
    await cluster.fill(4)
    const node = cluster.node(0)
    await cluster.paper.manager.nodeAdmin.drainNode(ask(node))
    await cluster.run(8)
    expect(await stateOf(cluster, node)).to.equal('drained')
  })

  it('is not done before the node itself has told what it has', async () => {
    const cluster = await ObedientCluster.start(4)
    await cluster.fill(4)
    const node = cluster.node(0)
    await cluster.paper.manager.nodeAdmin.drainNode(ask(node))
    cluster.answer = (_, { action }) => (action.kind === 'send-inventory' ? 'ignore' : undefined)
    await cluster.run(120)
    expect(await stateOf(cluster, node)).to.equal('draining')
    cluster.answer = () => undefined
    await cluster.run(120)
    expect(await stateOf(cluster, node)).to.equal('drained')
  })

  it('waits for packs of backups that run, and places nothing new there', async () => {
    const cluster = await ObedientCluster.start(4)
    const session = await cluster.paper.begin()
    const allocation = await cluster.paper.allocate(session)
    const node = cluster.paper.node(allocation.primary.nodeId)
    await cluster.paper.manager.nodeAdmin.drainNode(ask(node))
    for (let n = 0; n < 10; n++) {
      const { primary, replicas } = await cluster.paper.allocate(session)
      expect([primary, ...replicas].map((ref) => ref.nodeId)).not.to.include(node.id)
    }
    for (let round = 0; round < 4; round++) {
      await cluster.run(30)
      await cluster.paper.manager.renewSession(session)
    }
    expect(await stateOf(cluster, node)).to.equal('draining')
    const receipts = cluster.paper.receipts(allocation)
    await cluster.paper.manager.commitPack({ ticket: allocation.ticket, receipts, entries: [chunk('late')] })
    await cluster.paper.manager.endSession(session, 'done')
    await cluster.run(120)
    expect(await stateOf(cluster, node)).to.equal('drained')
    expect(cluster.holders(allocation.packId).filter((holder) => holder !== node)).to.have.length(2)
  })

  it('can be taken back', async () => {
    const cluster = await ObedientCluster.start(3)
    const node = cluster.node(0)
    const { nodeAdmin } = cluster.paper.manager
    await nodeAdmin.drainNode(ask(node))
    await cluster.run(60)
    expect(await nodeAdmin.resumeNode(ask(node, { dryRun: true }))).to.include({ state: 'drained', changed: true })
    expect(await nodeAdmin.resumeNode(ask(node))).to.include({ state: 'up', changed: true })
    expect(await nodeAdmin.resumeNode(ask(node))).to.include({ state: 'up', changed: false })
  })
})

describe('removing a node', () => {
  it('is refused while it is in use, and while it has the only copies, unless that is forced', async () => {
    const cluster = await ObedientCluster.start(3)
    await cluster.paper.backup(['a', 'b'])
    await cluster.run(2)
    const { nodeAdmin } = cluster.paper.manager
    const [packId] = cluster.nodes.flatMap((node) => [...node.holdings.keys()])
    const [first, second] = cluster.holders(packId!)
    await expectError(nodeAdmin.removeNode(ask(first!, { force: true })), 'failed-precondition')
    await expectError(nodeAdmin.removeNode({ ...ask(first!), node: 'nobody' }), 'not-found')
    cluster.answer = (_, { action }) => (action.kind === 'copy-pack' ? 'ignore' : undefined)
    await cluster.die(first!, second!)
    const preview = await nodeAdmin.removeNode(ask(second!, { dryRun: true }))
    expect(preview.lastCopies).to.be.greaterThan(0)
    expect(preview).to.include({ snapshots: 1, state: 'dead' })
    await expectError(nodeAdmin.removeNode(ask(second!)), 'failed-precondition')
    expect(await nodeAdmin.removeNode(ask(second!, { force: true }))).to.include({ state: 'removed' })
    expect(await nodeAdmin.removeNode(ask(second!))).to.include({ state: 'removed', changed: false })
    await expectError(second!.heartbeat(), 'fenced')
    await expectError(second!.register({ bootId: '1'.repeat(32) }), 'failed-precondition')
    await expectError(nodeAdmin.drainNode(ask(second!)), 'failed-precondition')
  })

  it('is allowed for a drained one and for a dead one whose packs are elsewhere, and is on record', async () => {
    const cluster = await ObedientCluster.start(4)
    const packs = await cluster.fill(6)
    const { nodeAdmin } = cluster.paper.manager
    const [drained, dead] = [cluster.node(0), cluster.node(1)]
    await nodeAdmin.drainNode(ask(drained))
    await cluster.run(120)
    await nodeAdmin.removeNode(ask(drained))
    cluster.silent.add(drained)
    await cluster.die(dead)
    await cluster.run(60)
    await nodeAdmin.removeNode(ask(dead))
    for (const pack of packs) {
      expect(cluster.holders(pack).filter((node) => node !== dead && node !== drained)).to.have.length(2)
    }
    expect(await cluster.paper.manager.getStatus()).to.include({ packsDegraded: 0, packsUnavailable: 0 })
    const { items } = await cluster.paper.manager.listHistory('remove', firstPage)
    expect(items.map((item) => item.subject)).to.deep.equal(['n2', 'n1'])
    const newest = await cluster.paper.catalogue.read((tx) => tx.log.newest())
    expect(newest?.kind).to.equal('node-removed')
    const again = await cluster.paper.addNode({ name: 'n2' })
    expect(again.incarnation).not.to.equal(dead.incarnation)
  })

  it('means by a name who has it now, and who had it before only by the id', async () => {
    const cluster = await ObedientCluster.start(4)
    const { nodeAdmin } = cluster.paper.manager
    const former = cluster.node(0)
    await cluster.die(former)
    await nodeAdmin.removeNode(ask(former))
    const successor = await cluster.paper.addNode({ name: 'n1' })
    await expectError(nodeAdmin.removeNode(ask(former)), 'failed-precondition')
    const byId = { ...ask(former), node: former.id as string }
    expect(await nodeAdmin.removeNode(byId)).to.include({ state: 'removed', changed: false })
    await expectError(nodeAdmin.drainNode(byId), 'failed-precondition')
    expect(await nodeAdmin.drainNode(ask(former))).to.include({ changed: true })
    expect(await stateOf(cluster, successor)).to.equal('draining')
    expect(await stateOf(cluster, former)).to.equal('removed')
  })
})

describe('rebalancing', () => {
  it('moves packs to an empty node until all are near the mean, and ends', async () => {
    const cluster = await ObedientCluster.start(3)
    cluster.capacityBytes = 10_000_000
    const packs = await cluster.fill(90)
    const fresh = await cluster.paper.addNode({ name: 'n4' })
    await cluster.run(2)
    const { nodeAdmin } = cluster.paper.manager
    const preview = await nodeAdmin.rebalance({ dryRun: true, stop: false, actor: 'ada' })
    expect(preview).to.include({ running: false })
    expect(preview.to.map((share) => share.node)).to.deep.equal(['n4'])
    await cluster.run(5)
    expect(fresh.holdings.size, 'a preview changes nothing').to.equal(0)
    await nodeAdmin.rebalance({ dryRun: false, stop: false, actor: 'ada' })
    await cluster.run(300)
    expect(await nodeAdmin.listTasks()).to.deep.equal([])
    const shares = cluster.nodes.map((node) => node.holdings.size / 100)
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    for (const share of shares) expect(Math.abs(share - mean)).to.be.at.most(0.06)
    for (const pack of packs) expect(cluster.holders(pack)).to.have.length(2)
  })

  it('stops when it is told to, and goes on after a restart when it is not', async () => {
    const cluster = await ObedientCluster.start(3)
    cluster.capacityBytes = 10_000_000
    await cluster.fill(60)
    const fresh = await cluster.paper.addNode({ name: 'n4' })
    await cluster.run(2)
    await cluster.paper.manager.nodeAdmin.rebalance({ dryRun: false, stop: false, actor: 'ada' })
    await cluster.run(5)
    await cluster.paper.open()
    await cluster.run(10)
    const before = fresh.holdings.size
    expect(before).to.be.greaterThan(0)
    await cluster.paper.manager.nodeAdmin.rebalance({ dryRun: false, stop: true, actor: 'ada' })
    await cluster.run(10)
    const stopped = fresh.holdings.size
    await cluster.run(30)
    expect(fresh.holdings.size).to.equal(stopped)
  })
})
