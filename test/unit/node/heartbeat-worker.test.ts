import { expect } from 'chai'
import { TwofoldError, errorCodes } from '../../../src/core/errors.ts'
import type { ErrorCode } from '../../../src/core/errors.ts'
import type { ClusterId } from '../../../src/core/ids.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { Heartbeat, HeartbeatReply, Order, RegisterRequest, Registration } from '../../../src/core/messages.ts'
import { createSigner } from '../../../src/format/signing.ts'
import { HeartbeatWorker } from '../../../src/node/heartbeat-worker.ts'
import type { ManagerApi } from '../../../src/node/manager-api.ts'
import { NodeLease } from '../../../src/node/node-lease.ts'
import { NodeLog } from '../../../src/node/node-log.ts'
import type { FilePackStore } from '../../../src/node/pack-store-files.ts'
import { StorageNode } from '../../../src/node/storage-node.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { contentOf, put } from '../../contract/pack-store.contract.ts'
import { expectError } from '../../support/expect-error.ts'
import type { FaultyDisk } from '../../support/faulty-disk.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { hex, incarnation, managerSigner, memoryDisk, nodeRef, openStore, packId } from './node-fixture.ts'

const never = (): never => {
  throw new Error('it should not be called')
}

describe('heartbeat worker', () => {
  const clusterId = hex<ClusterId>('c')
  const signal = new AbortController().signal
  let clock: VirtualClock
  let disk: FaultyDisk
  let store: FilePackStore
  let lease: NodeLease
  let log: NodeLog
  let node: StorageNode
  /** What the manager was told, and what it does before it answers. */
  let registered: RegisterRequest[]
  let reported: Heartbeat[]
  let remembered: ClusterId[]
  let before: (call: 'register' | 'heartbeat') => void
  let orders: Order[]

  beforeEach(async () => {
    clock = new VirtualClock()
    disk = memoryDisk().disk
    store = await openStore(disk)
    lease = new NodeLease(clock)
    log = await NodeLog.open({ disk, logger: silentLogger })
    registered = []
    reported = []
    remembered = []
    orders = []
    before = () => undefined
    const signer = createSigner(new Uint8Array(32).fill(4))
    const ports = { clock, random: new SeededRandom(1), logger: silentLogger, manager, store, lease, log }
    node = new StorageNode({ ...ports, peers: { replicate: never }, signer })
  })

  const manager: ManagerApi = {
    register: async (request) => {
      before('register')
      registered.push(request)
      const registration: Registration = {
        clusterId,
        registrationNumber: registered.length,
        managerPublicKey: managerSigner.publicKey,
        heartbeatIntervalMs: 1000,
        leaseMs: 30_000,
        managerTimeMs: clock.nowMs(),
        epoch: 3,
      }
      return registration
    },
    heartbeat: async (heartbeat) => {
      before('heartbeat')
      reported.push(heartbeat)
      const reply: HeartbeatReply = { leaseMs: 30_000, managerTimeMs: clock.nowMs(), epoch: 3, orders, state: 'up' }
      orders = []
      return reply
    },
    reportInventory: never,
    reportRecords: never,
    readCatalogueBackup: never,
    commitPack: never,
    replaceReplica: never,
  }

  const worker = (known?: ClusterId): HeartbeatWorker =>
    new HeartbeatWorker({
      ...{ node, store, manager, lease, log, clock, random: new SeededRandom(2), logger: silentLogger },
      ...{ self: nodeRef(1), bootId: hex('b'), publicKey: new Uint8Array(32), programVersion: 'test' },
      clusterId: known,
      rememberCluster: async (cluster) => void remembered.push(cluster),
    })

  const failing = (code: ErrorCode, options: { retryAfterMs?: number } = {}): void => {
    before = () => {
      throw new TwofoldError(code, 'no', options)
    }
  }

  it('registers, reports at once, and then at the interval that the manager wants', async () => {
    const beats = worker()
    expect(node.writable).to.equal(false)
    expect(await beats.beat(signal)).to.equal(0)
    expect(registered[0]).to.deep.include({ node: nodeRef(1), capacityBytes: 1e8, putSequence: 0, usedBytes: 0 })
    expect(node.writable).to.equal(true)
    expect(await beats.beat(signal)).to.equal(1000)
    await put(store, packId, contentOf(1))
    before = () => clock.advance(300)
    expect(await beats.beat(signal)).to.equal(700)
    expect(registered).to.have.length(1)
    expect(reported.map(({ sequence, packs, usedBytes }) => [sequence, packs, usedBytes])).to.deep.equal([
      [1, 0, 0],
      [2, 1, 100_000],
    ])
    expect(reported[1]).to.include({ registrationNumber: 1, writable: true, problem: '', uploads: 0, putSequence: 1 })
  })

  it('remembers the first cluster that took it, and shows it from then on', async () => {
    const beats = worker()
    await beats.beat(signal)
    before = (call) => {
      if (call === 'heartbeat') throw new TwofoldError('not-registered', 'who?')
    }
    expect(await beats.beat(signal)).to.equal(0)
    await beats.beat(signal)
    expect(registered.map((request) => request.clusterId)).to.deep.equal([undefined, clusterId])
    expect(remembered).to.deep.equal([clusterId])
    await worker(clusterId).beat(signal)
    expect(registered[2]?.clusterId).to.equal(clusterId)
    expect(remembered).to.have.length(1)
  })

  it('counts the lease from when it asked, not from when it was answered', async () => {
    before = () => clock.advance(20_000)
    const beats = worker()
    await beats.beat(signal)
    clock.advance(9999)
    expect(lease.held).to.equal(true)
    clock.advance(1)
    expect(lease.held).to.equal(false)
  })

  it('stops for good when another process serves its store', async () => {
    const beats = worker()
    await beats.beat(signal)
    failing('fenced')
    await expectError(beats.run(signal), 'fenced')
    expect(lease.fenced).to.equal(true)
    expect(node.writable).to.equal(false)
  })

  const hopeless: ErrorCode[] = [
    'invalid-argument',
    'already-exists',
    'failed-precondition',
    'permission-denied',
    'fenced',
    'unsupported',
  ]
  for (const code of errorCodes) {
    if (code === 'not-registered') continue
    const stops = hopeless.includes(code)
    it(`${stops ? 'gives up' : 'tries again'} when the manager answers ${code}`, async () => {
      for (const beats of [worker(), worker()]) {
        if (registered.length === 0) await beats.beat(signal)
        failing(code)
        if (stops) await expectError(beats.beat(signal), code)
        else expect(await beats.beat(signal)).to.be.within(100, 200)
        before = () => undefined
      }
    })
  }

  it('waits longer from failure to failure, up to two seconds, and as long as it is told', async () => {
    const beats = worker()
    failing('unavailable')
    const waits: number[] = []
    for (let turn = 0; turn < 8; turn++) waits.push(await beats.beat(signal))
    expect(waits[1]).to.be.greaterThan(waits[0]!)
    for (const wait of waits.slice(4)) expect(wait).to.be.within(1000, 2000)
    failing('already-exists', { retryAfterMs: 4321 })
    expect(await beats.beat(signal)).to.equal(4321)
    before = () => undefined
    await beats.beat(signal)
    failing('unavailable')
    expect(await beats.beat(signal), 'a success is a new beginning').to.be.within(100, 200)
  })

  it('tells what became of orders with the next heartbeat, at once, until that is heard', async () => {
    const beats = worker()
    await beats.beat(signal)
    const drop = { kind: 'drop-pack', packId, incarnation, putSequenceMax: 0, generationMax: 1 } as const
    orders = [
      { orderId: 'one', epoch: 3, action: drop },
      { orderId: 'two', epoch: 3, action: { kind: 'unknown' } },
    ]
    expect(await beats.beat(signal)).to.equal(0)
    failing('unavailable')
    await beats.beat(signal)
    before = () => undefined
    expect(await beats.beat(signal)).to.equal(1000)
    await beats.beat(signal)
    const told = reported.map(({ results }) => results.map(({ orderId, done }) => [orderId, done]))
    expect(told).to.deep.equal([
      [],
      [
        ['one', true],
        ['two', false],
      ],
      [],
    ])
  })

  it('reports a disk that failed instead of falling silent', async () => {
    const beats = worker()
    await beats.beat(signal)
    disk.fail('freeBytes', new TwofoldError('io', 'EIO'))
    expect(await beats.beat(signal)).to.equal(1000)
    expect(reported[0]).to.include({ writable: false, freeBytes: 0 })
    expect(reported[0]?.problem).to.contain('EIO')
    expect(node.writable).to.equal(false)
  })

  it('runs until it is stopped, also in the middle of a wait', async () => {
    const stop = new AbortController()
    const running = worker().run(stop.signal)
    while (reported.length < 5) {
      clock.advance(1000)
      await systemClock.yield()
    }
    stop.abort()
    await running
    const { length } = reported
    clock.advance(10_000)
    expect(reported).to.have.length(length)
  })
})
