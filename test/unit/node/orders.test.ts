import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { Incarnation } from '../../../src/core/ids.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { DropPack, OrderResult } from '../../../src/core/messages.ts'
import { Custodian } from '../../../src/node/custodian.ts'
import { NodeLease } from '../../../src/node/node-lease.ts'
import { carryOut } from '../../../src/node/orders.ts'
import type { OrdersDeps } from '../../../src/node/orders.ts'
import type { FilePackStore } from '../../../src/node/pack-store-files.ts'
import { WritesInProgress } from '../../../src/node/writes-in-progress.ts'
import { contentOf, put } from '../../contract/pack-store.contract.ts'
import { expectError } from '../../support/expect-error.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { hex, incarnation, memoryDisk, openStore, packId } from './node-fixture.ts'
import type { MemoryDisk } from './node-fixture.ts'

describe('orders', () => {
  let disk: MemoryDisk
  let store: FilePackStore
  let writes: WritesInProgress
  let clock: VirtualClock
  let lease: NodeLease
  beforeEach(async () => {
    disk = memoryDisk()
    store = await openStore(disk.disk)
    writes = new WritesInProgress()
    clock = new VirtualClock()
    lease = new NodeLease(clock)
    lease.renew(0, { leaseMs: 1e9, managerTimeMs: 0, epoch: 5 })
  })

  const { signal } = new AbortController()
  const deps = (): OrdersDeps => ({
    ...{ store, writes, lease, clock, logger: silentLogger },
    custodian: new Custodian({ store, lease, clock, logger: silentLogger }),
    peers: { replicate: () => Promise.reject(new Error('unexpected')) },
    incarnation: () => incarnation,
    sendInventory: () => Promise.reject(new Error('unexpected')),
    sendRecords: () => Promise.reject(new Error('unexpected')),
    keepCatalogue: () => Promise.reject(new Error('unexpected')),
  })
  const drop = (changes: Partial<DropPack> = {}, epoch = 5): Promise<OrderResult> => {
    const action = { kind: 'drop-pack', packId, incarnation, putSequenceMax: 0, generationMax: 1, ...changes } as const
    return carryOut({ orderId: 'o', epoch, action }, deps(), signal)
  }
  const done = { orderId: 'o', done: true, problem: '', code: undefined, receipt: undefined }
  const sealed = (): string[] => disk.below.files().filter((path) => path.startsWith('packs/'))

  it('drop a pack, and a repetition changes nothing', async () => {
    await put(store, packId, contentOf(1))
    expect(await drop()).to.deep.equal(done)
    expect(sealed()).to.deep.equal([])
    expect(await drop()).to.deep.equal(done)
  })

  it('are done when there is nothing to do', async () => {
    expect(await drop()).to.deep.equal(done)
  })

  it('leave a put of a newer generation alone, also after a restart', async () => {
    await put(store, packId, contentOf(1), { generation: 2 })
    expect(await drop()).to.deep.include({
      done: false,
      problem: 'a newer put of the pack is here',
      code: undefined,
      receipt: undefined,
    })
    store = await openStore(disk.disk)
    expect(await drop()).to.include({ done: false })
    expect(store.stat(packId)).to.include({ generation: 2 })
    expect(await drop({ generationMax: 2 })).to.deep.equal(done)
  })

  it('leave a newer put alone when they name one', async () => {
    await put(store, packId, contentOf(1))
    const { putSequence } = await put(store, packId, contentOf(1), { generation: 2 })
    expect(await drop({ putSequenceMax: putSequence - 1, generationMax: 9 })).to.include({ done: false })
    expect(await drop({ putSequenceMax: putSequence, generationMax: 9 })).to.deep.equal(done)
  })

  it('mean one life of the store only', async () => {
    await put(store, packId, contentOf(1))
    expect(await drop({ incarnation: hex<Incarnation>('f') })).to.deep.equal(done)
    expect(store.stat(packId)).not.to.equal(undefined)
  })

  it('discard what is aside in this life of the store, and only that', async () => {
    const { putSequence } = await put(store, packId, contentOf(1))
    await store.quarantine(packId, putSequence, { problem: 'rotten', foundAtMs: 1 })
    const discard = (life: Incarnation): Promise<OrderResult> => {
      const action = { kind: 'discard-damaged', packId, incarnation: life, putSequence } as const
      return carryOut({ orderId: 'o', epoch: 5, action }, deps(), signal)
    }
    expect(await discard(hex<Incarnation>('f'))).to.deep.equal(done)
    expect([...store.quarantined()]).to.have.length(1)
    expect(await discard(incarnation)).to.deep.equal(done)
    expect(await discard(incarnation)).to.deep.equal(done)
    expect(disk.below.files()).to.deep.equal(['sequence.json'])
  })

  it('of a manager that was replaced are not carried out', async () => {
    await put(store, packId, contentOf(1))
    expect(await drop({}, 4)).to.deep.include({
      done: false,
      problem: 'a newer manager is known',
      code: undefined,
      receipt: undefined,
    })
    expect(store.stat(packId)).not.to.equal(undefined)
  })

  it('that this program does not know are answered so', async () => {
    const order = { orderId: 'o', epoch: 5, action: { kind: 'unknown' } } as const
    const result = await carryOut(order, deps(), signal)
    expect(result.done).to.equal(false)
    expect(result.problem).to.contain('does not know')
  })

  it('that the disk fails are not done, and are done when they are given again', async () => {
    await put(store, packId, contentOf(1))
    disk.disk.fail('remove', new TwofoldError('io', 'EIO'))
    expect(await drop()).to.deep.equal({
      orderId: 'o',
      done: false,
      problem: 'EIO',
      code: 'io',
      receipt: undefined,
    })
    expect(await drop()).to.deep.equal({
      orderId: 'o',
      done: false,
      problem: 'EIO',
      code: 'io',
      receipt: undefined,
    })
    disk.disk.fail('remove', undefined)
    expect(await drop()).to.deep.equal(done)
    expect(sealed()).to.deep.equal([])
  })

  it('break a stream off that writes the pack, wait for its end, and let no other in', async () => {
    const controller = new AbortController()
    const leave = await writes.enter(packId, 1, controller)
    const draft = await store.begin(packId, 1, 100)
    const result = drop()
    expect(controller.signal.aborted).to.equal(true)
    // The stream was about to seal and does so in spite of it all.
    await draft.append(new Uint8Array(100))
    await draft.seal()
    await draft.close()
    leave()
    expect(await result).to.deep.equal(done)
    expect(store.stat(packId)).to.equal(undefined)
    await expectError(writes.enter(packId, 1, new AbortController()), 'fenced')
  })

  it('leave a stream of a newer generation alone', async () => {
    const controller = new AbortController()
    await writes.enter(packId, 2, controller)
    expect(await drop()).to.include({ done: false })
    expect(controller.signal.aborted).to.equal(false)
  })
})
