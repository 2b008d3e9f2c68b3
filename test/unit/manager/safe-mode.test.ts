import { expect } from 'chai'
import { ObedientCluster } from './obedient-cluster.ts'

/** What a manager may do right after it started, with a node that does not tell what it holds. */
describe('safe mode', () => {
  const mute = (cluster: ObedientCluster): void => {
    const [node] = cluster.nodes
    cluster.answer = (who, { action }) => (action.kind === 'send-inventory' && who === node ? 'ignore' : undefined)
  }

  const kinds = (cluster: ObedientCluster): string[] =>
    [...new Set(cluster.given.map(({ order }) => order.action.kind))].sort()

  /** The manager starts again, one node tells nothing, and another one has lost a copy. */
  async function restarted(before: (cluster: ObedientCluster) => Promise<void>): Promise<ObedientCluster> {
    const cluster = await ObedientCluster.start(4)
    const [victim] = await cluster.fill(10)
    await before(cluster)
    await cluster.paper.open()
    mute(cluster)
    cluster.damage(
      cluster.holders(victim!).find((node) => node !== cluster.node(0))!,
      victim!,
    )
    return cluster
  }

  it('ends no session, repairs nothing and orders nothing away while a node has not told', async () => {
    const cluster = await restarted(async ({ paper }) => void (await paper.allocate(await paper.begin())))
    await cluster.run(300)
    expect(await cluster.paper.manager.getStatus()).to.include({ safeMode: true, sessionsOpen: 1, packsDegraded: 1 })
    expect(kinds(cluster)).to.deep.equal(['send-inventory'])
    cluster.answer = () => undefined
    await cluster.run(100)
    expect(await cluster.paper.manager.getStatus()).to.include({ safeMode: false, sessionsOpen: 0, packsDegraded: 0 })
  })

  it('ends when the time to call a node dead is over; then repair begins, and nothing is deleted yet', async () => {
    const cluster = await restarted(() => Promise.resolve())
    await cluster.run(590)
    expect(kinds(cluster)).to.deep.equal(['send-inventory'])
    await cluster.run(30)
    expect((await cluster.paper.manager.getStatus()).packsDegraded).to.equal(0)
    expect(kinds(cluster)).to.deep.equal(['copy-pack', 'send-inventory'])
    cluster.answer = () => undefined
    await cluster.run(100)
    expect(kinds(cluster)).to.deep.equal(['copy-pack', 'discard-damaged', 'send-inventory'])
  })

  it('does not begin again for a node that is new or comes back', async () => {
    const cluster = await ObedientCluster.start(2)
    const node = await cluster.paper.addNode({ name: 'late' })
    await node.register({ bootId: 'b'.repeat(32) })
    expect((await cluster.paper.manager.getStatus()).safeMode).to.equal(false)
  })
})
