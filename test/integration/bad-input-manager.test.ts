import { join } from 'node:path'
import { expect } from 'chai'
import { TargetDisk } from '../../src/client/index.ts'
import type { Clock } from '../../src/core/clock.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { expectError } from '../support/expect-error.ts'
import { packOf } from '../support/hand-made-snapshot.ts'
import { MemorySource } from '../support/memory-source.ts'
import { collect } from '../support/restore-bench.ts'
import { noise, sealed } from '../support/upload-tester.ts'
import { WireCluster, slicesOf, until } from '../support/wire-cluster.ts'

/** The real time, some hours off. What passes meanwhile can be skipped, too. */
class ShiftedClock implements Clock {
  wallMs = 0
  skippedMs = 0

  nowMs(): number {
    return systemClock.nowMs() + this.wallMs + this.skippedMs
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.skippedMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal)
  }

  yield(): Promise<void> {
    return systemClock.yield()
  }
}

describe('a manager whose clock or life is not steady', () => {
  const hourMs = 3_600_000
  let cluster: WireCluster
  let clock: ShiftedClock
  let content: number
  beforeEach(async () => {
    clock = new ShiftedClock()
    content = 0
    cluster = await WireCluster.start({ nodes: ['n1', 'n2'], clock })
  })
  afterEach(() => cluster.stop())

  async function backup(): Promise<string> {
    const source = new MemorySource()
    source.file('/data/file', systemRandom.bytes(1000 + ++content))
    return (await cluster.client().backup({ source, paths: [Buffer.from('/data')] })).snapshot!.id
  }

  it('that is set back, while it runs or between two lives, gives nothing twice or out of order', async () => {
    const ids = [await backup()]
    const waiting = await cluster.session()
    clock.wallMs = -10 * hourMs
    ids.push(await backup())
    expect(await cluster.managerApi.renewSession(waiting)).to.be.greaterThan(0)
    const epoch = (await cluster.managerApi.getStatus()).epoch
    await cluster.stopManager()
    clock.wallMs = -20 * hourMs
    await cluster.startManager()
    await cluster.untilState('up', 'n1', 'n2')
    expect((await cluster.managerApi.getStatus()).epoch).to.equal(epoch + 1)
    expect(await cluster.managerApi.renewSession(waiting)).to.be.greaterThan(0)
    ids.push(await backup())
    const client = cluster.client()
    const snapshots = await collect(client.snapshots())
    const bySequence = snapshots.toSorted((a, b) => a.commitSequence - b.commitSequence)
    expect(bySequence.map(({ id }) => id)).to.deep.equal(ids)
    expect(new Set(snapshots.map(({ commitSequence }) => commitSequence)).size).to.equal(3)
    const numbers = (await collect(client.history({}))).map((operation) => operation.number)
    expect(numbers).to.deep.equal([...new Set(numbers)].toSorted((a, b) => b - a))
    expect(numbers.length).to.be.at.least(5)
    for (const snapshot of snapshots) expect(snapshot.durability.copies).to.equal(2)
    const target = new TargetDisk(join(cluster.directory, 'restored'), { random: systemRandom, clock: systemClock })
    expect(await client.restore({ reference: ids[2]!, target })).to.include({ problems: 0, filesRestored: 1 })
  })

  it('refuses nothing that is under way when its time is set back, and a ticket once it has expired', async () => {
    const session = await cluster.session()
    const pack = packOf(session, await noise(session))
    const [soon, late] = [await cluster.allocate(session, pack.length), await cluster.allocate(session, pack.length)]
    clock.wallMs = -10 * hourMs
    await cluster.storageApi.upload(soon.primary, cluster.headerOf(soon, pack.length), slicesOf(pack))
    clock.skippedMs = hourMs / 2
    await until(async () => {
      const upload = cluster.headerOf(late, pack.length)
      const outcome = cluster.storageApi.upload(late.primary, upload, slicesOf(pack.subarray(0, 10)))
      // Until the node hears the time, the ticket is good; its session may be over, which fences the pack.
      const { code } = await expectError(outcome, 'permission-denied', 'integrity', 'fenced')
      return code === 'permission-denied'
    })
    expect(cluster.files(late.packId)).to.deep.equal([])
  })

  it('may be restarted during an upload, which goes on', async () => {
    const session = await cluster.session()
    const pack = packOf(session, await noise(session))
    const allocation = await cluster.allocate(session, pack.length)
    const restart = async (sent: number): Promise<void> => {
      if (sent !== 65_536) return
      await cluster.stopManager()
      await cluster.startManager()
    }
    const upload = cluster.headerOf(allocation, pack.length)
    await cluster.storageApi.upload(allocation.primary, upload, slicesOf(pack, { before: restart }))
    const request = { session, packId: allocation.packId, reason: '' }
    expect(await cluster.managerApi.abandonPack(request)).to.have.property('committed', true)
    await cluster.managerApi.endSession(session, 'the test is over')
  })

  it('may be away when an upload ends: the nodes wait for it with the commit', async () => {
    const session = await cluster.session()
    const pack = packOf(session, await noise(session))
    const allocation = await cluster.allocate(session, pack.length)
    const upload = cluster.headerOf(allocation, pack.length)
    let answered = false
    const stop = async (sent: number): Promise<void> => {
      if (sent === 65_536) await cluster.stopManager()
    }
    const uploaded = cluster.storageApi.upload(allocation.primary, upload, slicesOf(pack, { before: stop }))
    void uploaded.then(() => (answered = true))
    await until(() => sealed(cluster, allocation.packId).length === 2)
    expect(answered, 'nothing is acknowledged before it is committed').to.equal(false)
    await cluster.startManager()
    expect((await uploaded).receipts).to.have.length(2)
    expect((await cluster.managerApi.getStatus()).packs).to.equal(1)
  })
})
