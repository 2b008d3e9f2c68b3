import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { PackId } from '../../../src/core/ids.ts'
import { scrubRateMax, scrubRateMin } from '../../../src/core/limits.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import { createSigner } from '../../../src/format/signing.ts'
import { NodeLease } from '../../../src/node/node-lease.ts'
import { NodeLog } from '../../../src/node/node-log.ts'
import type { FilePackStore } from '../../../src/node/pack-store-files.ts'
import { scrubRate } from '../../../src/node/scrub-rate.ts'
import { ScrubWorker } from '../../../src/node/scrub-worker.ts'
import { StorageNode } from '../../../src/node/storage-node.ts'
import { put } from '../../contract/pack-store.contract.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { packOf, seal } from '../format/sample-pack.ts'
import { hex, membership, memoryDisk, openStore } from './node-fixture.ts'
import type { MemoryDisk } from './node-fixture.ts'

const hour = 3_600_000
const periodMs = 48 * hour

describe('scrub', () => {
  const { signal } = new AbortController()
  let clock: AutoClock
  let disk: MemoryDisk
  let store: FilePackStore
  let lease: NodeLease
  let node: StorageNode
  let scrub: ScrubWorker
  let pack: Uint8Array

  beforeEach(async () => {
    clock = new AutoClock()
    disk = memoryDisk()
    pack = packOf([await seal('data', new SeededRandom(3).bytes(500_000))])
    await start()
  })

  async function start(bytesPerSecond = 0): Promise<void> {
    store = await openStore(disk.disk)
    lease = new NodeLease(clock)
    lease.renew(clock.monotonicMs(), { leaseMs: 1e9, managerTimeMs: clock.nowMs(), epoch: 1 })
    const signer = createSigner(new Uint8Array(32).fill(4))
    const log = await NodeLog.open({ disk: disk.disk, logger: silentLogger })
    const ports = { clock, random: new SeededRandom(1), logger: silentLogger, store, lease, log }
    node = new StorageNode({ ...ports, signer, manager: {} as never, peers: {} as never })
    node.join(membership)
    scrub = new ScrubWorker({ ...ports, node, timing: { periodMs, bytesPerSecond } })
  }

  const id = (digit: string): PackId => hex<PackId>(digit)
  const fill = async (...digits: string[]): Promise<void> => {
    for (const digit of digits) await put(store, id(digit), pack)
  }
  /** Steps until nothing is due. @returns what was proven, in its order. */
  async function pass(): Promise<string[]> {
    while ((await scrub.step(signal)) === 0) await clock.sleep(1)
    const copies = node.custodian.proven.next()
    node.custodian.proven.answered(copies)
    return copies.map(({ packId }) => packId[0]!)
  }

  it('reads every pack once in half a period, the least recently proven first', async () => {
    await fill('a', 'b', 'c')
    store.markProven(id('a'), 1, clock.nowMs() - 40 * hour)
    store.markProven(id('b'), 2, clock.nowMs() - 41 * hour)
    expect(await pass()).to.deep.equal(['c', 'b', 'a'])
    expect(await pass()).to.deep.equal([])
    await clock.sleep(25 * hour)
    expect(await pass()).to.deep.equal(['c', 'b', 'a'])
  })

  it('knows after a restart what was proven before', async () => {
    await fill('a', 'b', 'c')
    await scrub.step(signal)
    await scrub.step(signal)
    await store.saveProofs()
    await start()
    expect(await pass()).to.deep.equal(['c'])
    await start()
    expect(await pass(), 'saved by itself when the pass was over').to.deep.equal([])
  })

  it('lets packs that are new wait until the old ones were read', async () => {
    await fill('a', 'b')
    store.markProven(id('a'), 1, clock.nowMs() - 40 * hour)
    await scrub.step(signal)
    await fill('c', 'd')
    expect(await pass()).to.deep.equal(['b', 'a', 'c', 'd'])
  })

  it('does not read again what somebody else has proven meanwhile', async () => {
    await fill('a', 'b', 'c')
    await scrub.step(signal)
    await node.verify(id('b'))
    const { provenAtMs } = store.stat(id('b'))!
    await clock.sleep(1)
    await pass()
    expect(store.stat(id('b'))).to.include({ provenAtMs })
    expect(store.stat(id('c'))?.provenAtMs).to.be.greaterThan(provenAtMs)
  })

  it('finds what is damaged, puts it aside and goes on', async () => {
    await fill('a', 'b', 'c')
    const path = disk.below.files().find((file) => file.includes('/bb/'))!
    await disk.disk.remove(path)
    const file = await disk.disk.create(path)
    await file.write(pack.toReversed(), 0)
    expect(await pass()).to.deep.equal(['a', 'c'])
    expect(node.custodian.damaged().map(({ packId, putSequence }) => [packId, putSequence])).to.deep.equal([
      [id('b'), 2],
    ])
    expect(store.stat(id('b'))).to.equal(undefined)
  })

  it('reads as fast as it may and not faster', async () => {
    await start(100_000)
    await fill('a', 'b', 'c')
    const beganMs = clock.monotonicMs()
    await pass()
    expect(clock.monotonicMs() - beganMs).to.be.within(9_900, 20_000)
  })

  it('lets uploads go first, but not for ever', async () => {
    await fill('a')
    const leave = await node.writes.enter(id('f'), 1, new AbortController())
    const beganMs = clock.monotonicMs()
    expect(await pass()).to.deep.equal(['a'])
    expect(clock.monotonicMs() - beganMs).to.be.at.least(1000)
    leave()
  })

  it('waits for a manager that tells the time, and leaves a disk alone that failed', async () => {
    await fill('a')
    const idle = new ScrubWorker({
      ...{ node, store, clock, logger: silentLogger, timing: { periodMs, bytesPerSecond: 0 } },
      lease: new NodeLease(clock),
    })
    expect(await idle.step(signal)).to.be.greaterThan(0)
    disk.disk.fail('freeBytes', new TwofoldError('io', 'EIO'))
    await store.usage()
    expect(await scrub.step(signal)).to.be.greaterThan(0)
    expect(node.custodian.proven.next()).to.deep.equal([])
  })

  it('goes on after a failure that says nothing about a pack, and reads that one later', async () => {
    await fill('a', 'b')
    disk.disk.fail('open', new TwofoldError('overloaded', 'EMFILE'))
    const stop = new AbortController()
    const running = scrub.run(stop.signal)
    await clock.sleep(30_000)
    disk.disk.fail('open', undefined)
    await clock.sleep(5 * 60_000)
    for (let turn = 0; turn < 50; turn++) await clock.yield()
    expect(node.custodian.proven.next().map(({ packId }) => packId)).to.have.members([id('a'), id('b')])
    expect(node.custodian.damaged()).to.deep.equal([])
    stop.abort()
    await running
  })

  it('can be turned off', async () => {
    await fill('a')
    const timing = { periodMs: 0, bytesPerSecond: 0 }
    await new ScrubWorker({ node, store, lease, clock, logger: silentLogger, timing }).run(signal)
    expect(node.custodian.proven.next()).to.deep.equal([])
  })

  it('takes a proof from the future for none', async () => {
    await fill('a')
    store.markProven(id('a'), 1, clock.nowMs() + 1000 * hour)
    expect(await pass()).to.deep.equal(['a'])
  })

  it('is as fast as the period needs, within bounds', () => {
    const day = 24 * hour
    expect(scrubRate(1e9, 14 * day)).to.equal(scrubRateMin)
    expect(scrubRate(1e15, 14 * day)).to.equal(scrubRateMax)
    const rate = scrubRate(10e12, 14 * day)
    expect((10e12 / rate) * 1000).to.be.closeTo(3.5 * day, 1)
  })
})
