import { expect } from 'chai'
import { untilAborted } from '../../../src/core/abort.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { ErrorCode } from '../../../src/core/errors.ts'
import type { PackId, SessionId } from '../../../src/core/ids.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { CommitPackRequest } from '../../../src/core/messages.ts'
import type { NodeRef, TicketClaims } from '../../../src/core/model.ts'
import { createSigner } from '../../../src/format/signing.ts'
import { openReceipt, signReceipt } from '../../../src/format/tickets.ts'
import { NodeLease } from '../../../src/node/node-lease.ts'
import type { FilePackStore } from '../../../src/node/pack-store-files.ts'
import type { PeerApi } from '../../../src/node/peer-api.ts'
import { NodeLog } from '../../../src/node/node-log.ts'
import { allRecords } from '../../../src/node/records-report.ts'
import { StorageNode } from '../../../src/node/storage-node.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { expectError } from '../../support/expect-error.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { packOf, sampleRecords, seal, verifyPack } from '../format/sample-pack.ts'
import { hex, managerSigner, membership, memoryDisk, nodeRef, openStore, packId, ticketOf } from './node-fixture.ts'
import type { MemoryDisk } from './node-fixture.ts'

const signer = createSigner(new Uint8Array(32).fill(4))
const peerSigner = createSigner(new Uint8Array(32).fill(5))

describe('storage node', () => {
  let disk: MemoryDisk
  let store: FilePackStore
  let log: NodeLog
  let clock: AutoClock
  let node: StorageNode
  let pack: Uint8Array
  /** What the replica and the manager do; each gets its turn once the pack has arrived there. */
  let replicate: (peer: NodeRef, bytes: Buffer) => Promise<void>
  let commit: (request: CommitPackRequest) => Promise<void>
  let committed: CommitPackRequest[]
  let rolledBack: number

  beforeEach(async () => {
    disk = memoryDisk()
    store = await openStore(disk.disk)
    log = await NodeLog.open({ disk: disk.disk, logger: silentLogger })
    clock = new AutoClock()
    committed = []
    rolledBack = 0
    replicate = () => Promise.resolve()
    commit = async (request) => void committed.push(request)
    pack = packOf(await sampleRecords())
    const lease = new NodeLease(clock)
    lease.renew(0, { leaseMs: 1e9, managerTimeMs: 1000, epoch: 1 })
    const manager = {
      register: () => Promise.reject(new Error('unexpected')),
      heartbeat: () => Promise.reject(new Error('unexpected')),
      reportInventory: () => Promise.reject(new Error('unexpected')),
      reportRecords: () => Promise.reject(new Error('unexpected')),
      readCatalogueBackup: (): never => {
        throw new Error('unexpected')
      },
      commitPack: (request: CommitPackRequest) => commit(request),
      replaceReplica: () => Promise.reject(new TwofoldError('not-enough-nodes', 'nobody is left')),
    }
    const ports = { clock, random: new SeededRandom(1), logger: silentLogger, manager, store, lease, log, signer }
    node = new StorageNode({ ...ports, peers: { replicate: peer } })
    node.join(membership)
  })

  const peer: PeerApi['replicate'] = async (ref, _header, forwarded, { signal } = {}) => {
    const parts: Uint8Array[] = []
    try {
      for await (const slice of untilAborted(forwarded, signal!)) parts.push(Buffer.from(slice))
    } catch (error) {
      await systemClock.yield()
      rolledBack += 1
      throw error
    }
    const bytes = Buffer.concat(parts)
    await replicate(ref, bytes)
    const { digest } = verifyPack(bytes)
    const { nodeId, incarnation } = ref
    const rest = { putSequence: 9, lengthBytes: bytes.length, digest, sessionId: hex<SessionId>('5'), durableAtMs: 1 }
    return signReceipt({ packId, nodeId, incarnation, ...rest }, peerSigner)
  }

  async function* slices(bytes = pack): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 300) yield bytes.subarray(at, at + 300)
  }

  const upload = (claims: Partial<TicketClaims> = {}, bytes = pack): ReturnType<StorageNode['upload']> => {
    const header = { ticket: ticketOf(claims), replicas: [nodeRef(2)], lengthBytes: bytes.length }
    return node.upload(header, slices(bytes))
  }
  const files = (): string[] => disk.below.files().filter((path) => path !== 'sequence.json')

  it('answers with receipts for the bytes that it sealed, and commits them', async () => {
    const { receipts, nodes } = await upload()
    expect(nodes).to.deep.equal([nodeRef(1), nodeRef(2)])
    const { digest } = verifyPack(pack)
    const own = openReceipt(receipts[0]!, signer.publicKey)
    expect(own).to.deep.include({ packId, nodeId: nodeRef(1).nodeId, putSequence: 1, lengthBytes: pack.length })
    expect(Buffer.from(own.digest).equals(digest)).to.equal(true)
    expect(committed).to.have.length(1)
    expect(committed[0]?.receipts).to.deep.equal(receipts)
    expect(committed[0]?.entries).to.have.length(5)
    expect(files()).to.deep.equal([`packs/aa/${packId}.1.1.${pack.length}.pack`])
  })

  it('takes no pack before it has joined a cluster', async () => {
    const lease = new NodeLease(clock)
    const manager = { commitPack: () => Promise.reject(new Error('unexpected')) }
    const deps = { clock, random: new SeededRandom(1), logger: silentLogger, store, lease, log, signer }
    const stranger = new StorageNode({ ...deps, manager: manager as never, peers: { replicate: peer } })
    const header = { ticket: ticketOf(), replicas: [nodeRef(2)], lengthBytes: pack.length }
    await expectError(stranger.upload(header, slices()), 'read-only')
    await expectError(stranger.replicate(header, slices()), 'read-only')
    expect(stranger.writable).to.equal(false)
    expect(files()).to.deep.equal([])
  })

  const refusals: ErrorCode[] = ['failed-precondition', 'session-ended', 'missing-chunks', 'permission-denied']
  for (const code of refusals) {
    it(`removes what it wrote when the commit is refused with ${code}`, async () => {
      commit = () => Promise.reject(new TwofoldError(code, 'no'))
      await expectError(upload(), code)
      expect(files()).to.deep.equal([])
      expect(store.stat(packId)).to.equal(undefined)
    })
  }

  it('keeps what it wrote when it does not know how the commit ended', async () => {
    commit = () => Promise.reject(new TwofoldError('io', "the manager's disk"))
    await expectError(upload(), 'io')
    expect(files()).to.have.length(1)
  })

  it('asks again when the manager cannot be reached', async () => {
    let attempts = 0
    commit = () => (++attempts < 5 ? Promise.reject(new TwofoldError('unavailable', 'away')) : Promise.resolve())
    await upload()
    expect(attempts).to.equal(5)
  })

  for (const [what, fail] of [
    ['the replica is lost and cannot be replaced', (): void => void (replicate = lost)],
    ['the manager has another pipeline', (): void => void (commit = refused)],
  ] as const) {
    it(`keeps a committed pack that is sent again although ${what}`, async () => {
      await upload()
      fail()
      await expectError(upload(), what.startsWith('the replica') ? 'not-enough-nodes' : 'failed-precondition')
      expect(store.stat(packId)).to.include({ putSequence: 1 })
      expect(files()).to.deep.equal([`packs/aa/${packId}.1.1.${pack.length}.pack`])
    })
  }
  const lost = (): Promise<never> => Promise.reject(new TwofoldError('unavailable', 'gone'))
  const refused = (): Promise<never> => Promise.reject(new TwofoldError('failed-precondition', 'ask with the new one'))

  it('removes what it wrote when too few replicas took it', async () => {
    replicate = lost
    await expectError(upload(), 'not-enough-nodes')
    expect(files()).to.deep.equal([])
  })

  it('keeps what it wrote when a recovery was told of it meanwhile, which takes it for committed', async () => {
    replicate = async () => {
      while (store.stat(packId) === undefined) await systemClock.yield()
      await Array.fromAsync(allRecords({ store, log, clock, writes: node.writes }))
      return lost()
    }
    await expectError(upload(), 'not-enough-nodes')
    expect(files()).to.deep.equal([`packs/aa/${packId}.1.1.${pack.length}.pack`])
    expect(store.stat(packId)).to.include({ putSequence: 1 })
  })

  it('tells its replicas to give up, and says that it failed when they have', async () => {
    const damaged = Buffer.from(pack)
    damaged[damaged.length - 1]! ^= 1
    await expectError(upload({}, damaged), 'integrity')
    expect(rolledBack).to.equal(1)
    await expectError(upload({}, pack.subarray(0, pack.length - 10)), 'integrity')
    expect(rolledBack).to.equal(2)
    disk.disk.fail('write', new TwofoldError('no-room', 'ENOSPC'))
    await expectError(upload(), 'no-room')
    expect(rolledBack).to.equal(3)
    expect(node.writes.size).to.equal(0)
    expect(files()).to.deep.equal([])
  })

  it('refuses other bytes under the id of a pack that it has, and keeps the first', async () => {
    await upload()
    const other = packOf([await seal('data', Buffer.from('something else'))])
    await expectError(upload({}, other), 'already-exists')
    await expectError(upload({ generation: 2 }, other), 'already-exists')
    expect(await node.verify(packId)).to.include({ good: true, records: 5 })
  })

  /** What a bad disk does, and nobody is told. */
  const damage = async (content: Uint8Array): Promise<void> => {
    const sealed = disk.below.files().find((path) => path.startsWith('packs/'))!
    await disk.disk.remove(sealed)
    const file = await disk.disk.create(sealed)
    await file.write(content, 0)
    await file.close()
  }

  for (const role of ['the primary', 'a replica'] as const) {
    it(`puts its own copy aside when ${role} is sent the pack again and finds it damaged`, async () => {
      await upload()
      await damage(pack.toReversed())
      const header = { ticket: ticketOf({ primary: nodeRef(2), replicas: [nodeRef(1)] }), lengthBytes: pack.length }
      await (role === 'the primary' ? upload() : node.replicate(header, slices()))
      expect(await node.verify(packId)).to.include({ good: true, records: 5 })
      expect(store.stat(packId)?.putSequence).to.equal(2)
      expect([...store.quarantined()].map(({ putSequence }) => putSequence)).to.deep.equal([1])
    })
  }

  it('keeps the copy that took the place of a damaged one, though the commit is refused', async () => {
    await upload()
    await damage(pack.toReversed())
    commit = refused
    await expectError(upload(), 'failed-precondition')
    expect(store.stat(packId)?.putSequence).to.equal(2)
    expect([...store.quarantined()]).to.have.length(1)
  })

  it('reads ranges in the order asked for, and nothing beyond the end', async () => {
    await upload()
    const read = async (...ranges: { offset: number; length: number }[]): Promise<Buffer> => {
      const parts: Uint8Array[] = []
      for await (const { data } of node.read({ packId, ranges })) parts.push(Buffer.from(data))
      return Buffer.concat(parts)
    }
    expect((await read()).equals(pack)).to.equal(true)
    const swapped = await read({ offset: 100, length: 50 }, { offset: 0, length: 100 })
    expect(swapped.equals(Buffer.concat([pack.subarray(100, 150), pack.subarray(0, 100)]))).to.equal(true)
    await expectError(read({ offset: pack.length, length: 1 }), 'out-of-range')
    await expectError(node.read({ packId: hex<PackId>('b'), ranges: [] }).next(), 'not-found')
  })

  const read = async (): Promise<void> => {
    for await (const { data } of node.read({ packId, ranges: [] })) expect(data.length).to.be.at.most(pack.length)
  }

  it('says so when a copy is shorter than it was, and serves it no more', async () => {
    await upload()
    await damage(pack.subarray(0, 100))
    await expectError(read(), 'integrity')
    expect(node.stat(packId).present).to.equal(false)
    await expectError(read(), 'integrity')
    const verdict = await node.verify(packId)
    expect(verdict).to.include({ good: false })
    expect(verdict.problem).to.contain('ends after 100')
    expect(node.custodian.damaged()).to.have.length(1)
  })

  it('says so when the file of a copy is gone', async () => {
    await upload()
    await disk.disk.remove(disk.below.files().find((path) => path.startsWith('packs/'))!)
    expect((await expectError(read(), 'integrity')).message).to.contain('is gone')
    const [copy] = node.custodian.damaged()
    expect(copy).to.deep.include({ packId, putSequence: 1, foundAtMs: copy!.foundAtMs })
    expect(copy!.problem).to.contain('is gone')
    expect(copy!.foundAtMs).to.be.at.least(1000)
  })

  it('does not blame a copy that the disk gives when it is asked again', async () => {
    await upload()
    disk.disk.fail('read', new TwofoldError('io', 'EIO'))
    void clock.sleep(1500).then(() => disk.disk.fail('read', undefined))
    await read()
    expect(node.custodian.damaged()).to.deep.equal([])
    expect(node.stat(packId).present).to.equal(true)
  })

  it('puts a copy aside that the disk cannot give, and reports how it failed', async () => {
    await upload()
    disk.disk.fail('read', new TwofoldError('io', 'EIO'))
    await expectError(read(), 'io')
    expect(node.stat(packId).present).to.equal(false)
    expect(node.custodian.damaged()[0]?.problem).to.equal('EIO')
    expect(store.problem, 'a bad file is not a bad disk').to.equal('')
  })

  it('does not blame a copy when who reads it was broken off', async () => {
    await upload()
    const reader = await node.custodian.open(packId)
    await reader.close()
    await expectError(reader.read(new Uint8Array(10), 0), 'cancelled')
    expect(node.custodian.damaged()).to.deep.equal([])
    expect(await node.verify(packId)).to.include({ good: true })
  })

  for (const [call, code] of [
    ['open', 'overloaded'],
    ['read', 'overloaded'],
    ['open', 'io'],
  ] as const) {
    it(`does not blame a copy when to ${call} it fails with ${code}`, async () => {
      await upload()
      disk.disk.fail(call, new TwofoldError(code, 'no'))
      await expectError(read(), code)
      await expectError(node.verify(packId), code)
      disk.disk.fail(call, undefined)
      expect(await node.verify(packId)).to.include({ good: true })
      expect(node.custodian.damaged()).to.deep.equal([])
    })
  }

  it('serves what it has when its disk takes no writes any more', async () => {
    await upload()
    for (const call of ['create', 'write', 'sync', 'rename', 'remove', 'syncDirectory'] as const) {
      disk.disk.fail(call, new TwofoldError('io', 'EROFS'))
    }
    await expectError(upload({ packId: hex<PackId>('b') }), 'io')
    await expectError(upload({ packId: hex<PackId>('b') }), 'read-only')
    await read()
    expect(await node.verify(packId)).to.include({ good: true })
  })

  it('remembers when a pack was found good', async () => {
    await upload()
    expect(node.stat(packId)).to.include({ present: true, provenAtMs: 0, putSequence: 1, lengthBytes: pack.length })
    const { provenAtMs } = await node.verify(packId)
    expect(provenAtMs).to.be.at.least(1000)
    expect(node.stat(packId).provenAtMs).to.equal(provenAtMs)
    expect(node.stat(hex<PackId>('b'))).to.include({ present: false, lengthBytes: 0 })
    await expectError(node.verify(hex<PackId>('b')), 'not-found')
  })

  it("uses its manager's key, not the one of the ticket's maker", () => {
    expect(membership.managerPublicKey).to.deep.equal(managerSigner.publicKey)
    node.join({ ...membership, managerPublicKey: peerSigner.publicKey })
    return expectError(upload(), 'permission-denied')
  })
})
