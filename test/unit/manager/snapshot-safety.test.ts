import { expect } from 'chai'
import type { Durability, RepairActivity, SnapshotSafety } from '../../../src/core/model.ts'
import { endangeredShownMax } from '../../../src/core/limits.ts'
import { defaultTiming } from '../../../src/manager/timing.ts'
import { anyFilter, firstPage, PaperCluster } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

describe('how safe snapshots are', () => {
  let cluster: PaperCluster
  let activity: RepairActivity

  beforeEach(async () => {
    activity = 'none'
    cluster = await PaperCluster.start(2, { repair: { activity: () => activity } })
  })

  /** Lets the others report until these are dead. */
  async function bury(...dead: readonly PaperNode[]): Promise<void> {
    cluster.clock.advance(defaultTiming.deadAfterMs)
    await cluster.heartbeatAll(dead)
  }

  const safety = async (): Promise<SnapshotSafety> => (await cluster.manager.getStatus()).safety
  const durability = async (): Promise<Durability | undefined> =>
    (await cluster.manager.listSnapshots(anyFilter, firstPage)).items[0]?.durability

  it('is what their copies are now, not when they were made', async () => {
    const [one, two] = cluster.nodes
    const begun = cluster.clock.nowMs()
    await cluster.backup(['a'])
    const full = { full: 1, degraded: 0, lost: 0, failureDomains: 2, provenAtMs: begun, endangered: [] }
    expect(await safety()).to.deep.equal(full)
    await bury(one!)
    expect(await safety()).to.include({ full: 0, degraded: 1, lost: 0, failureDomains: 1, provenAtMs: begun })
    expect(await durability()).to.include({ copies: 1, packsUnavailable: 0, repair: 'none' })
    await bury(one!, two!)
    expect(await safety()).to.include({ full: 0, degraded: 0, lost: 1, failureDomains: 0, provenAtMs: 0 })
    expect(await durability()).to.include({ copies: 0, provenAtMs: 0 })
    await cluster.heartbeatAll()
    expect(await safety()).to.deep.equal(full)
  })

  it('tells what repair does about those with too few copies, and of no others', async () => {
    const [one, two] = cluster.nodes
    await cluster.backup(['a'])
    activity = 'running'
    expect(await durability()).to.include({ repair: 'none' })
    await bury(one!)
    expect(await durability()).to.include({ repair: 'running' })
    activity = 'waiting'
    expect(await durability()).to.include({ repair: 'waiting' })
    activity = 'running'
    await bury(one!, two!)
    expect(await durability(), 'nothing can be copied').to.include({ repair: 'waiting' })
  })

  it('leaves out what is in the trash, and names only the worst', async () => {
    const ids: string[] = []
    for (let n = 0; n < endangeredShownMax + 3; n++) ids.push((await cluster.backup([`f${n}`])).snapshotId)
    const { snapshotId } = await cluster.backup(['forgotten'])
    const forget = { vault: '', snapshotIds: [snapshotId], now: false, actor: 'a' }
    await cluster.manager.admin.forgetSnapshots(forget)
    await bury(cluster.nodes[0]!)
    const { degraded, endangered } = await safety()
    expect(degraded).to.equal(endangeredShownMax + 3)
    const newest = ids.slice(-endangeredShownMax).reverse()
    expect(endangered.map((each) => each.snapshotId)).to.deep.equal(newest)
  })
})
