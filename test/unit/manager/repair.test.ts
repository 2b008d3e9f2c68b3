import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { PackId } from '../../../src/core/ids.ts'
import { repairsPerNodeMax } from '../../../src/core/limits.ts'
import type { CopyPack } from '../../../src/core/messages.ts'
import { readTicketUnchecked } from '../../../src/format/tickets.ts'
import { expectError } from '../../support/expect-error.ts'
import { ObedientCluster } from './obedient-cluster.ts'
import type { PaperNode } from './cluster-fixture.ts'

/** Each pack is where the catalogue says, and on as many nodes as wanted that are heard of. */
async function expectWhole(cluster: ObedientCluster, packs: readonly PackId[], copies = 2): Promise<void> {
  for (const pack of packs) {
    const heard = cluster.holders(pack).filter((node) => !cluster.silent.has(node))
    expect(heard.length, `copies of ${pack}`).to.equal(copies)
  }
  const status = await cluster.paper.manager.getStatus()
  expect(status).to.include({ packsDegraded: 0, packsUnavailable: 0 })
}

describe('repair', () => {
  it('brings every pack of a dead node back to two copies, and only then', async () => {
    const cluster = await ObedientCluster.start(4)
    const packs = await cluster.fill(20)
    const dead = cluster.node(0)
    cluster.silent.add(dead)
    await cluster.run(300)
    expect(cluster.orders('copy-pack'), 'a silent node is no dead one').to.deep.equal([])
    await cluster.die(dead)
    await cluster.run(60)
    await expectWhole(cluster, packs)
  })

  it('gives up the copies that are too many when a dead node comes back, after it told what it has', async () => {
    const cluster = await ObedientCluster.start(4)
    const packs = await cluster.fill(12)
    const dead = cluster.node(0)
    await cluster.die(dead)
    await cluster.run(40)
    await expectWhole(cluster, packs)
    cluster.silent.clear()
    cluster.answer = (node, { action }) => (action.kind === 'send-inventory' && node === dead ? 'ignore' : undefined)
    await cluster.run(30)
    expect(cluster.orders('drop-pack'), 'nothing goes on the word of a node that did not tell').to.deep.equal([])
    cluster.answer = () => undefined
    await cluster.run(30)
    await expectWhole(cluster, packs)
    for (const order of cluster.orders('drop-pack')) {
      expect(order.action).to.include({ kind: 'drop-pack' }).and.to.have.property('putSequenceMax').greaterThan(0)
    }
  })

  it('gives nothing up while any node has not told what it has, whether it has copies or not', async () => {
    const cluster = await ObedientCluster.start(5)
    const [pack] = await cluster.fill(1)
    const [gone] = cluster.holders(pack!)
    await cluster.die(gone!)
    await cluster.run(10)
    const stranger = cluster.nodes.find((node) => !node.holdings.has(pack!))
    await stranger!.register({ bootId: 'b'.repeat(32), putSequence: stranger!.putSequence })
    cluster.answer = (node, { action }) =>
      action.kind === 'send-inventory' && node === stranger ? 'ignore' : undefined
    cluster.silent.clear()
    await cluster.run(30)
    expect(cluster.holders(pack!)).to.have.length(3)
    cluster.answer = () => undefined
    await cluster.run(30)
    await expectWhole(cluster, [pack!])
  })

  it('sends nothing to a node that was ordered to drop the pack and has not yet', async () => {
    const cluster = await ObedientCluster.start(3)
    const [pack] = await cluster.fill(1)
    const [gone] = cluster.holders(pack!)
    await cluster.die(gone!)
    await cluster.run(10)
    cluster.answer = (_, { action }) => (action.kind === 'drop-pack' ? 'ignore' : undefined)
    cluster.silent.clear()
    await cluster.run(30)
    const dropping = cluster.given.find(({ order }) => order.action.kind === 'drop-pack')?.node
    const before = cluster.orders('copy-pack').length
    cluster.silent.add(cluster.nodes.find((node) => node !== dropping)!)
    await cluster.die(cluster.nodes.find((node) => node !== dropping)!)
    await cluster.run(30)
    expect(cluster.orders('copy-pack').length).to.equal(before)
    cluster.answer = () => undefined
    await cluster.run(30)
    await expectWhole(cluster, [pack!])
  })

  it('sends and receives few packs at once, and no faster from a node than it may', async () => {
    const rate = 1_000_000
    const cluster = await ObedientCluster.start(5, { repairBytesPerSecondMax: rate })
    await cluster.fill(40)
    cluster.answer = (_, { action }) => (action.kind === 'copy-pack' ? 'ignore' : undefined)
    await cluster.die(cluster.node(0))
    await cluster.run(5)
    const into = new Map<string, number>()
    const out = new Map<PaperNode, number>()
    for (const { node, order } of cluster.given) {
      if (order.action.kind !== 'copy-pack') continue
      const { target, bytesPerSecondMax } = order.action
      expect(bytesPerSecondMax).to.be.within(1, rate / repairsPerNodeMax)
      into.set(target.name, (into.get(target.name) ?? 0) + 1)
      out.set(node, (out.get(node) ?? 0) + 1)
    }
    expect(into.size).to.be.greaterThan(1)
    for (const count of [...into.values(), ...out.values()]) expect(count).to.be.at.most(repairsPerNodeMax)
  })

  it('copies again, with a higher generation, what was never answered', async () => {
    const cluster = await ObedientCluster.start(3)
    const [pack] = await cluster.fill(1)
    cluster.answer = (_, { action }) => (action.kind === 'copy-pack' ? 'ignore' : undefined)
    await cluster.die(cluster.holders(pack!)[0]!)
    await cluster.run(1000)
    const generations = cluster.orders('copy-pack').map((order) => generationOf(order.action as CopyPack))
    expect(generations.length).to.be.greaterThan(1)
    expect(generations).to.deep.equal(generations.toSorted((a, b) => a - b))
    expect(new Set(generations).size).to.equal(generations.length)
    cluster.answer = () => undefined
    await cluster.run(20)
    await expectWhole(cluster, [pack!])
  })

  it('keeps no room for a copy whose source is another process by now', async () => {
    const cluster = await ObedientCluster.start(3)
    const [pack] = await cluster.fill(1)
    cluster.answer = (_, { action }) => (action.kind === 'copy-pack' ? 'ignore' : undefined)
    const [lost, source] = cluster.holders(pack!)
    await cluster.die(lost!)
    const reserved = async (): Promise<number> =>
      (await cluster.paper.manager.listNodes()).reduce((sum, { reservedBytes }) => sum + reservedBytes, 0)
    expect(await reserved(), 'while it is on its way').to.be.greaterThan(0)
    cluster.answer = () => ({ done: false, code: 'no-room', problem: 'full' })
    await source!.register({ bootId: '1'.repeat(32), putSequence: source!.putSequence })
    expect(await reserved()).to.equal(0)
  })

  it('takes another target when one has no room, and waits longer and longer', async () => {
    const cluster = await ObedientCluster.start(4)
    const [pack] = await cluster.fill(1)
    const refused: string[] = []
    cluster.answer = (_, { action }) => {
      if (action.kind !== 'copy-pack' || refused.length > 0) return undefined
      refused.push(action.target.name)
      return { done: false, code: 'no-room', problem: 'full' }
    }
    await cluster.die(cluster.holders(pack!)[0]!)
    await cluster.run(20)
    await expectWhole(cluster, [pack!])
    const targets = cluster.orders('copy-pack').map(({ action }) => (action as CopyPack).target.name)
    expect(targets[0]).to.equal(refused[0])
    expect(targets[1]).not.to.equal(refused[0])
  })

  it('replaces a damaged copy, and lets it go only when enough good ones are there', async () => {
    const cluster = await ObedientCluster.start(3)
    const [pack] = await cluster.fill(1)
    const [bad] = cluster.holders(pack!)
    cluster.answer = (_, { action }) => (action.kind === 'copy-pack' ? 'ignore' : undefined)
    cluster.damage(bad!, pack!)
    await cluster.run(5)
    expect((await cluster.paper.manager.getStatus()).packsDegraded).to.equal(1)
    expect(cluster.orders('discard-damaged')).to.deep.equal([])
    const damage = await cluster.paper.manager.listHistory('damage', { pageSize: 0, pageToken: '' })
    expect(damage.items.map((item) => item.subject)).to.deep.equal([pack])
    cluster.answer = () => undefined
    await cluster.run(1000)
    await expectWhole(cluster, [pack!])
    expect(cluster.orders('discard-damaged')).to.have.length(1)
    expect(cluster.damaged.get(bad!)).to.deep.equal([])
  })

  it('keeps a damaged copy of a pack that has no good one', async () => {
    const cluster = await ObedientCluster.start(3)
    const [pack] = await cluster.fill(1)
    for (const node of cluster.holders(pack!)) cluster.damage(node, pack!)
    await cluster.run(100)
    expect(cluster.orders('discard-damaged')).to.deep.equal([])
    expect((await cluster.paper.manager.getStatus()).packsUnavailable).to.equal(1)
  })

  it('empties a node whose disk failed, and counts its copies no more among the wanted', async () => {
    const cluster = await ObedientCluster.start(4)
    const packs = await cluster.fill(8)
    const sick = cluster.node(1)
    const had = packs.filter((pack) => sick.holdings.has(pack))
    const { heartbeat } = sick
    sick.heartbeat = (more = {}) => heartbeat.call(sick, { ...more, storeFailed: true, writable: false })
    await cluster.run(60)
    for (const pack of had) expect(cluster.holders(pack).filter((node) => node !== sick)).to.have.length(2)
    expect(cluster.orders('drop-pack'), 'a disk that fails is ordered nothing').to.deep.equal([])
  })

  it('looks again at the packs that an error of the catalogue kept it from', async () => {
    const cluster = await ObedientCluster.start(4)
    const packs = await cluster.fill(12)
    const { catalogue } = cluster.paper
    const write = catalogue.write.bind(catalogue)
    let raised = 0
    catalogue.write = (work) =>
      write((tx) => {
        const raiseGeneration = async (...args: Parameters<typeof tx.packs.raiseGeneration>): Promise<number> => {
          raised += 1
          if (raised === 2) throw new TwofoldError('unavailable', 'the catalogue does not answer')
          return tx.packs.raiseGeneration(...args)
        }
        return work({ ...tx, packs: { ...tx.packs, raiseGeneration } })
      })
    await expectError(cluster.die(cluster.node(0)), 'unavailable')
    await cluster.run(60)
    await expectWhole(cluster, packs)
  })

  it('takes the word of a node for a copy that was ordered before a restart', async () => {
    const cluster = await ObedientCluster.start(3)
    const [pack] = await cluster.fill(1)
    const held: CopyPack[] = []
    cluster.answer = (_, { action }) => {
      if (action.kind !== 'copy-pack') return undefined
      held.push(action)
      return 'ignore'
    }
    const [gone, left] = cluster.holders(pack!)
    await cluster.die(gone!)
    await cluster.run(2)
    const [order] = held
    await cluster.paper.open()
    const target = cluster.paper.node(order!.target.nodeId)
    const receipt = target.receipt(order!.ticket, Buffer.alloc(32))
    const result = { orderId: 'x', done: true, problem: '', code: undefined, receipt }
    await left!.heartbeat({ results: [result] })
    expect((await cluster.paper.manager.getStatus()).packsUnavailable).to.equal(0)
    const copies = await holdersOf(cluster, pack!)
    expect(copies, 'other bytes than were committed').not.to.include(target.request.node.name)
  })
})

function generationOf(action: CopyPack): number {
  return readTicketUnchecked(action.ticket).generation
}

async function holdersOf(cluster: ObedientCluster, packId: PackId): Promise<string[]> {
  return cluster.paper.catalogue.read(async (tx) => {
    const pack = await tx.packs.find(packId)
    const [copies = []] = await tx.copies.of([pack?.id ?? 0])
    const nodes = await tx.nodes.all()
    return copies.map((copy) => nodes.find((node) => node.id === copy.node)?.ref.name ?? '')
  })
}
