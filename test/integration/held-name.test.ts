import { expect } from 'chai'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WireCluster, until } from '../support/wire-cluster.ts'

describe('a second process of a node', () => {
  let cluster: WireCluster

  beforeEach(async () => {
    cluster = await WireCluster.start({ nodes: ['n1'], timing: { suspectAfterMs: 500 } })
    cpSync(join(cluster.directory, 'n1'), join(cluster.directory, 'twin'), { recursive: true })
  })

  afterEach(() => cluster.stop())

  /** How often its store was opened. */
  function starts(): number {
    const identity = readFileSync(join(cluster.directory, 'twin', 'node.json'), 'utf8')
    return (JSON.parse(identity) as { bootNumber: number }).bootNumber
  }

  it('waits for the end of the first one, and then opens the store again', async () => {
    const before = starts()
    const twin = await cluster.startNode({ name: 'n1' }, 'twin')
    await until(() => starts() > before + 1)
    const held = await cluster.managerApi.listNodes()
    expect(held.map(({ node }) => node.address)).to.deep.equal([cluster.nodes.get('n1')!.address])
    await cluster.nodes.get('n1')!.stop()
    await until(async () => (await cluster.managerApi.listNodes())[0]?.node.address === twin.address)
  })

  it('can be stopped while it waits', async () => {
    const before = starts()
    const twin = await cluster.startNode({ name: 'n1' }, 'twin')
    await until(() => starts() > before + 1)
    await twin.stop()
    await twin.ended
    const last = starts()
    const twinAgain = await cluster.startNode({ name: 'n1' }, 'twin')
    expect(starts()).to.equal(last + 1)
    await twinAgain.stop()
  })
})
