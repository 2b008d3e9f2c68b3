import { expect } from 'chai'
import { randomHexId } from '../../../src/core/ids.ts'
import type { PackId } from '../../../src/core/ids.ts'
import { recoverySetting } from '../../../src/manager/lineage-watch.ts'
import { prune } from './gc/gc-fixture.ts'
import { ObedientCluster } from './obedient-cluster.ts'

describe('a damaged copy of a pack that the catalogue does not know', () => {
  let cluster: ObedientCluster
  beforeEach(async () => {
    cluster = await ObedientCluster.start(3)
    const packId = randomHexId<PackId>(cluster.paper.random)
    cluster.damaged.set(cluster.node(0), [{ packId, putSequence: 7, problem: 'rot', foundAtMs: 1 }])
    await cluster.run(60)
  })
  const damaged = async (): Promise<number> => (await cluster.paper.manager.getStatus()).copiesDamaged

  it('is kept until somebody prunes, and goes then', async () => {
    expect(cluster.orders('discard-damaged')).to.deep.equal([])
    await prune(cluster.paper, { dryRun: true })
    await cluster.run(60)
    expect(await damaged()).to.equal(1)
    await prune(cluster.paper)
    await cluster.run(60)
    expect(cluster.orders('discard-damaged')).to.have.length(1)
    expect(await damaged()).to.equal(0)
  })

  it('stays while a node has a good pack that is unknown too: then the catalogue may be an older one', async () => {
    const packId = randomHexId<PackId>(cluster.paper.random)
    const node = cluster.node(1)
    node.putSequence += 1
    const put = { packId, generation: 1, putSequence: node.putSequence, lengthBytes: 100, provenAtMs: 0 }
    node.holdings.set(packId, put)
    await node.reportInventory()
    await prune(cluster.paper)
    await cluster.run(60)
    expect(await damaged()).to.equal(1)
  })

  it('stays when a recovery could not bring a snapshot back: it may be the last of it', async () => {
    const { catalogue } = cluster.paper
    const facts = { forgiven: [], held: [], incomplete: 1 }
    await catalogue.write((tx) => tx.settings.set(recoverySetting, Buffer.from(JSON.stringify(facts))))
    await prune(cluster.paper)
    await cluster.run(60)
    expect(await damaged()).to.equal(1)
  })

  it('stays when it was put aside after the prune', async () => {
    await prune(cluster.paper)
    const packId = randomHexId<PackId>(cluster.paper.random)
    cluster.damaged.set(cluster.node(2), [{ packId, putSequence: 3, problem: 'rot', foundAtMs: 1 }])
    await cluster.run(60)
    expect(cluster.damaged.get(cluster.node(2))).to.have.length(1)
  })
})
