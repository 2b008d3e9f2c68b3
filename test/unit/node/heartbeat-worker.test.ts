import { expect } from 'chai'
import { TwofoldError, errorCodes } from '../../../src/core/errors.ts'
import type { ErrorCode } from '../../../src/core/errors.ts'
import type { ClusterId, PackId } from '../../../src/core/ids.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type {
  Heartbeat,
  HeartbeatReply,
  InventoryReport,
  Order,
  RegisterRequest,
  Registration,
} from '../../../src/core/messages.ts'
import type { Receipt } from '../../../src/core/model.ts'
import { rolledBackError } from '../../../src/core/rolled-back.ts'
import { createSigner } from '../../../src/format/signing.ts'
import { HeartbeatWorker, heldNameRetryMs } from '../../../src/node/heartbeat-worker.ts'
import type { ManagerApi } from '../../../src/node/manager-api.ts'
import { NodeLease } from '../../../src/node/node-lease.ts'
import { NodeLog } from '../../../src/node/node-log.ts'
import type { FilePackStore } from '../../../src/node/pack-store-files.ts'
import type { PeerApi } from '../../../src/node/peer-api.ts'
import { StorageNode } from '../../../src/node/storage-node.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { contentOf, put } from '../../contract/pack-store.contract.ts'
import { expectError } from '../../support/expect-error.ts'
import type { FaultyDisk } from '../../support/faulty-disk.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { packOf, sampleRecords } from '../format/sample-pack.ts'
import { hex, incarnation, managerSigner, memoryDisk, nodeRef, openStore, packId, ticketOf } from './node-fixture.ts'

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
  let inventories: InventoryReport[]
  let replicate: PeerApi['replicate']
  let renewed: number

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
    inventories = []
    replicate = never
    renewed = 0
    before = () => undefined
    const signer = createSigner(new Uint8Array(32).fill(4))
    const ports = { clock, random: new SeededRandom(1), logger: silentLogger, manager, store, lease, log }
    node = new StorageNode({ ...ports, peers: { replicate: never }, signer })
  })

  const manager: { -readonly [Call in keyof ManagerApi]: ManagerApi[Call] } = {
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
    reportInventory: async (report) => void inventories.push(report),
    reportRecords: never,
    readCatalogueBackup: never,
    commitPack: never,
    replaceReplica: never,
  }

  const worker = (known?: ClusterId): HeartbeatWorker =>
    new HeartbeatWorker({
      ...{ node, store, manager, lease, log, clock, random: new SeededRandom(2), logger: silentLogger },
      peers: { replicate: (...call) => replicate(...call) },
      bootNumber: () => 1,
      renewIncarnation: async () => {
        renewed += 1
        return hex('d')
      },
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

  it('stops when it is ordered to, once the manager knows that it does', async () => {
    const beats = worker()
    orders = [{ orderId: 'o1', epoch: 3, action: { kind: 'stop' } }]
    await beats.beat(signal)
    await beats.beat(signal)
    await new Promise(setImmediate)
    await beats.beat(signal)
    const told = reported.length
    await beats.run(signal)
    expect(reported).to.have.length(told)
    expect(reported.at(-1)?.results).to.deep.include({
      ...{ orderId: 'o1', done: true, problem: '', code: undefined, receipt: undefined },
    })
    expect(reported.filter(({ results }) => results.length > 0)).to.have.length(1)
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
    failing('overloaded', { retryAfterMs: 4321 })
    expect(await beats.beat(signal)).to.equal(4321)
    before = () => undefined
    await beats.beat(signal)
    failing('unavailable')
    expect(await beats.beat(signal), 'a success is a new beginning').to.be.within(100, 200)
  })

  it('ends while another process serves the store, and says when to open it again', async () => {
    failing('already-exists', { retryAfterMs: 4321 })
    expect(heldNameRetryMs(await expectError(worker().beat(signal), 'already-exists'))).to.equal(4321)
    failing('already-exists')
    expect(heldNameRetryMs(await expectError(worker().beat(signal), 'already-exists')), 'for good').to.equal(undefined)
  })

  const drop = { kind: 'drop-pack', packId, incarnation, putSequenceMax: 0, generationMax: 1 } as const
  const verify = { kind: 'verify-pack', packId, incarnation } as const
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await systemClock.yield()
  }

  it('tells what became of orders with every heartbeat until one is answered', async () => {
    const beats = worker()
    await beats.beat(signal)
    orders = [
      { orderId: 'one', epoch: 3, action: drop },
      { orderId: 'two', epoch: 3, action: { kind: 'unknown' } },
    ]
    await beats.beat(signal)
    await settled()
    const sent: string[][] = []
    before = () => {
      throw new TwofoldError('unavailable', 'no')
    }
    const { heartbeat } = manager
    manager.heartbeat = (report) => {
      sent.push(report.results.map(({ orderId, done }) => `${orderId} ${done}`).sort())
      return heartbeat(report)
    }
    await beats.beat(signal)
    await beats.beat(signal)
    before = () => undefined
    await beats.beat(signal)
    await beats.beat(signal)
    manager.heartbeat = heartbeat
    const both = ['one true', 'two false']
    expect(sent).to.deep.equal([both, both, both, []])
  })

  it('is not held up by an order that takes long, and carries it out once', async () => {
    const { promise, resolve } = Promise.withResolvers<Receipt>()
    let streams = 0
    replicate = () => {
      streams += 1
      return promise
    }
    await put(store, packId, contentOf(1))
    const beats = worker()
    await beats.beat(signal)
    const copy = { kind: 'copy-pack', packId, incarnation, ticket: ticketOf(), target: nodeRef(2) } as const
    const order: Order = { orderId: 'long', epoch: 3, action: { ...copy, bytesPerSecondMax: 0 } }
    for (let turn = 0; turn < 3; turn++) {
      orders = [order]
      expect(await beats.beat(signal)).to.equal(1000)
      await settled()
    }
    expect(streams).to.equal(1)
    expect(reported.at(-1)?.results).to.deep.equal([])
    const receipt = { claims: new Uint8Array(1), signature: new Uint8Array(2) }
    resolve(receipt)
    await settled()
    orders = [order]
    await beats.beat(signal)
    const done = { orderId: 'long', done: true, problem: '', code: undefined, receipt }
    expect(reported.at(-1)?.results).to.deep.equal([done])
    await settled()
    expect(streams, 'given again before its result was told').to.equal(2)
  })

  it('sends the next heartbeat early when an order was carried out', async () => {
    const stop = new AbortController()
    const running = worker().run(stop.signal)
    await settled()
    clock.advance(0)
    while (reported.length === 0) await settled()
    orders = [{ orderId: 'one', epoch: 3, action: drop }]
    clock.advance(1000)
    await settled()
    expect(reported).to.have.length(2)
    clock.advance(30)
    await settled()
    expect(reported).to.have.length(3)
    expect(reported[2]?.results).to.have.length(1)
    stop.abort()
    await running
  })

  it('reports what it found damaged until it is discarded, and what it found good until that is heard', async () => {
    const other = hex<PackId>('b')
    await put(store, packId, contentOf(1))
    const good = packOf(await sampleRecords())
    await put(store, other, good)
    const beats = worker()
    await beats.beat(signal)
    orders = [packId, other].map((id) => ({ orderId: id, epoch: 3, action: { ...verify, packId: id } }))
    await beats.beat(signal)
    await settled()
    failing('unavailable')
    await beats.beat(signal)
    before = () => undefined
    await beats.beat(signal)
    const { damaged, proven, results } = reported.at(-1)!
    expect(damaged.map((copy) => [copy.packId, copy.putSequence])).to.deep.equal([[packId, 1]])
    expect(proven).to.deep.equal([{ packId: other, putSequence: 2, provenAtMs: clock.nowMs() }])
    expect(results.map(({ done }) => done)).to.deep.equal([true, true])
    const discard = { kind: 'discard-damaged', packId, incarnation, putSequence: 1 } as const
    orders = [{ orderId: 'discard', epoch: 3, action: discard }]
    await beats.beat(signal)
    expect(reported.at(-1)).to.deep.include({ damaged, proven: [] })
    await settled()
    await beats.beat(signal)
    expect(reported.at(-1)).to.deep.include({ damaged: [], usedBytes: good.length })
  })

  it('sends its inventory, numbered, when it is ordered to', async () => {
    const beats = worker()
    await beats.beat(signal)
    await put(store, packId, contentOf(1))
    for (const orderId of ['one', 'two']) {
      orders = [{ orderId, epoch: 3, action: { kind: 'send-inventory' } }]
      await beats.beat(signal)
      await settled()
    }
    expect(inventories.map(({ reportNumber, asOfPutSequence }) => [reportNumber, asOfPutSequence])).to.deep.equal([
      [1, 1],
      [2, 1],
    ])
    expect(inventories[0]).to.deep.include({ incarnation, registrationNumber: 1, packs: [store.stat(packId)] })
  })

  it('begins a new life of its store when it is told twice that the disk was rolled back', async () => {
    await put(store, packId, contentOf(1))
    const beats = worker()
    before = (call) => {
      if (call === 'register' && renewed === 0) throw rolledBackError('n1', 1, 5000)
    }
    expect(await beats.beat(signal)).to.be.greaterThan(0)
    expect(renewed).to.equal(0)
    expect(await beats.beat(signal)).to.equal(0)
    expect(renewed).to.equal(1)
    await beats.beat(signal)
    expect(registered[0]?.node.incarnation).to.equal(hex('d'))
    expect(registered[0]?.putSequence).to.equal(5000)
    await beats.beat(signal)
    expect(reported[0]).to.deep.include({ incarnation: hex('d'), packs: 1 })
    const { putSequence } = await put(store, packId, contentOf(2), { generation: 2 })
    expect(putSequence).to.equal(5001)
  })

  it('stays who it is when it is told only once, or each time of another put', async () => {
    const beats = worker()
    let known = 1
    before = (call) => {
      if (call === 'register' && known < 5) throw rolledBackError('n1', 0, known++)
    }
    for (let turn = 0; turn < 4; turn++) await beats.beat(signal)
    await beats.beat(signal)
    expect(registered).to.have.length(1)
    expect(renewed).to.equal(0)
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
