import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { TwofoldError } from '../../src/core/errors.ts'
import type { Allocation, Session } from '../../src/core/messages.ts'
import type { NodeRef } from '../../src/core/model.ts'
import { createSigner } from '../../src/format/signing.ts'
import { readTicketUnchecked, signTicket } from '../../src/format/tickets.ts'
import { openDisk } from '../../src/system/disk.ts'
import { AutoClock } from '../support/auto-clock.ts'
import { expectError } from '../support/expect-error.ts'
import { allocate, beginSession, makePack, slicesOf } from '../support/hand-made-upload.ts'
import { NodeCluster } from '../support/node-cluster.ts'
import type { TestNode } from '../support/test-node.ts'

describe('the upload pipeline', () => {
  let root: string
  let clock: AutoClock
  let cluster: NodeCluster
  let session: Session

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'twofold-nodes-'))
    clock = new AutoClock()
    cluster = await NodeCluster.start(['n1', 'n2', 'n3'], { clock, disk: (name) => openDisk(join(root, name)) })
    session = await beginSession(cluster)
  })

  afterEach(async () => {
    await cluster.close()
    await rm(root, { recursive: true })
  })

  interface Attempt {
    readonly pack: Uint8Array
    readonly allocation: Allocation
    readonly primary: TestNode
    readonly replica: TestNode
    readonly third: TestNode
    upload(slices?: AsyncIterable<Uint8Array>, replicas?: readonly NodeRef[]): ReturnType<TestNode['node']['upload']>
  }

  async function attempt(records = 20): Promise<Attempt> {
    const pack = await makePack(cluster, session, records)
    const allocation = await allocate(cluster, session, pack.length)
    const primary = cluster.byRef(allocation.primary)
    const replica = cluster.byRef(allocation.replicas[0]!)
    const third = cluster.nodes.find((node) => node !== primary && node !== replica)!
    const { ticket } = allocation
    return {
      pack,
      allocation,
      primary,
      replica,
      third,
      upload: (slices = slicesOf(pack), replicas = allocation.replicas) =>
        primary.node.upload({ ticket, replicas, lengthBytes: pack.length }, slices),
    }
  }

  /** What must hold after an upload that failed and was abandoned: nobody has anything of it, nothing is committed. */
  async function expectNothingLeft({ allocation }: Attempt): Promise<void> {
    const { packId } = allocation
    expect(await cluster.manager.abandonPack({ session, packId, reason: 'test' })).to.have.property('committed', false)
    await cluster.beatAll()
    expect(await cluster.files()).to.deep.equal([])
    expect((await cluster.manager.getStatus()).packs).to.equal(0)
  }

  it('puts the same bytes on two nodes and commits them', async () => {
    const { pack, allocation, primary, replica, third, upload } = await attempt()
    const result = await upload()
    expect(result.nodes.map((node) => node.name)).to.deep.equal([primary.name, replica.name])
    expect(result.receipts).to.have.length(2)
    for (const { node } of [primary, replica]) {
      const parts: Uint8Array[] = []
      for await (const { data } of node.read({ packId: allocation.packId, ranges: [] })) {
        parts.push(Buffer.from(data))
      }
      expect(Buffer.concat(parts).equals(pack)).to.equal(true)
      expect(await node.verify(allocation.packId)).to.include({ good: true, records: 20 })
    }
    expect(third.node.stat(allocation.packId).present).to.equal(false)
    expect((await cluster.manager.getStatus()).packs).to.equal(1)
  })

  it('answers a repeated upload of a committed pack with its receipts', async () => {
    const { upload } = await attempt()
    const first = await upload()
    const again = await upload()
    expect(again.nodes).to.deep.equal(first.nodes)
    expect(await cluster.files()).to.have.length(2)
  })

  it('refuses other bytes under the id of a pack that is there', async () => {
    const { allocation, primary, upload, pack } = await attempt()
    await upload()
    const other = await makePack(cluster, session)
    expect(other.length).to.equal(pack.length)
    const header = { ticket: allocation.ticket, replicas: allocation.replicas, lengthBytes: other.length }
    await expectError(primary.node.upload(header, slicesOf(other)), 'already-exists')
  })

  for (const [when, share] of [
    ['at the start', 0],
    ['in the middle', 0.5],
    ['near the end', 0.95],
  ] as const) {
    it(`replaces a replica that is lost ${when}, and goes on`, async () => {
      const made = await attempt()
      const { pack, primary, replica, third, allocation } = made
      replica.onSlice = (offset) => {
        if (offset >= pack.length * share - 65_536) replica.kill()
      }
      const result = await made.upload()
      expect(result.nodes.map((node) => node.name)).to.deep.equal([primary.name, third.name])
      expect(await third.node.verify(allocation.packId)).to.include({ good: true })
      expect(replica.node.stat(allocation.packId).present).to.equal(false)
    })
  }

  it('replaces a replica whose disk is full', async () => {
    const made = await attempt()
    made.replica.disk.fail('write', new TwofoldError('no-room', 'disk full'))
    const result = await made.upload()
    expect(result.nodes.map((node) => node.name)).to.deep.equal([made.primary.name, made.third.name])
    expect((await cluster.files()).filter((file) => file.startsWith(made.replica.name))).to.deep.equal([])
  })

  it('fails with not-enough-nodes when the replica is lost and nobody can take its place', async () => {
    const made = await attempt()
    made.third.kill()
    clock.advance(6000)
    made.replica.onSlice = (offset) => {
      if (offset > 500_000) made.replica.kill()
    }
    await made.primary.heartbeat.beat(new AbortController().signal)
    await expectError(made.upload(), 'not-enough-nodes')
    made.replica.revive()
    made.replica.onSlice = undefined
    await expectNothingLeft(made)
  })

  it('never keeps a pack whose commit the manager refuses', async () => {
    const made = await attempt()
    const { packId } = made.allocation
    const slices = slicesOf(made.pack, 65_536, (offset) => {
      if (offset === 65_536 * 5) void cluster.manager.abandonPack({ session, packId, reason: 'gave up' })
    })
    await expectError(made.upload(slices), 'failed-precondition')
    await expectNothingLeft(made)
  })

  it('rolls back everywhere when the client vanishes', async () => {
    const made = await attempt()
    const slices = slicesOf(made.pack, 65_536, (offset) => {
      if (offset > 600_000) throw new TwofoldError('cancelled', 'the client is gone')
    })
    await expectError(made.upload(slices), 'cancelled')
    await expectNothingLeft(made)
  })

  it('rolls back everywhere when the caller cancels while nothing arrives', async () => {
    const made = await attempt()
    const { allocation, pack, primary } = made
    const controller = new AbortController()
    async function* stalled(): AsyncGenerator<Uint8Array> {
      yield pack.subarray(0, 65_536)
      controller.abort(new TwofoldError('cancelled', 'enough'))
      await new Promise(() => undefined)
    }
    const header = { ticket: allocation.ticket, replicas: allocation.replicas, lengthBytes: pack.length }
    await expectError(primary.node.upload(header, stalled(), { signal: controller.signal }), 'cancelled')
    await expectNothingLeft(made)
  })

  it('refuses truncated and flipped bytes with integrity, and keeps nothing', async () => {
    const truncated = await attempt()
    const short = truncated.pack.subarray(0, truncated.pack.length - 1000)
    await expectError(truncated.upload(slicesOf(short)), 'integrity')
    await expectNothingLeft(truncated)
    for (const at of [5, 200, 100_300, 1_000_000]) {
      const made = await attempt()
      const bytes = new Uint8Array(made.pack)
      bytes[at]! ^= 1
      await expectError(made.upload(slicesOf(bytes)), 'integrity')
      await expectNothingLeft(made)
    }
  })

  it('refuses a record that lies about its length', async () => {
    const made = await attempt()
    const bytes = Buffer.from(made.pack)
    // The stored length stands somewhere in the first header; whatever is read as a length must not be believed.
    for (let at = 0; at + 4 <= 128; at += 4) {
      const lying = Buffer.from(bytes)
      lying.writeUInt32LE(0xfffffff0, at)
      const again = await attempt()
      const header = { ticket: again.allocation.ticket, replicas: again.allocation.replicas, lengthBytes: lying.length }
      const error = await again.primary.node.upload(header, slicesOf(lying)).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).to.be.instanceOf(TwofoldError)
      expect((error as TwofoldError).code).to.be.oneOf(['integrity', 'unsupported', 'invalid-argument'])
    }
    expect(await cluster.files()).to.deep.equal([])
  })

  it('refuses a slice over the limit', async () => {
    const made = await attempt(40)
    await expectError(made.upload(slicesOf(made.pack, 2 * 1024 * 1024)), 'invalid-argument')
    await expectNothingLeft(made)
  })

  it("refuses pipelines that are not the ticket's", async () => {
    const made = await attempt()
    const { allocation, third, upload, pack } = made
    const primary = allocation.primary
    const many = Array.from({ length: 10_000 }, () => third.ref)
    for (const replicas of [[], [primary], [third.ref], many, [allocation.replicas[0]!, third.ref]]) {
      const error = await expectError(upload(slicesOf(pack), replicas), 'invalid-argument')
      expect(error.message).to.match(/replica|copies/)
    }
    await expectNothingLeft(made)
  })

  it('refuses forged, foreign and expired tickets', async () => {
    const { allocation, pack, primary, third, replica } = await attempt()
    const claims = readTicketUnchecked(allocation.ticket)
    const forged = signTicket(claims, createSigner(new Uint8Array(32).fill(9)))
    const header = { ticket: forged, replicas: allocation.replicas, lengthBytes: pack.length }
    await expectError(primary.node.upload(header, slicesOf(pack)), 'permission-denied')
    const flipped = Buffer.from(allocation.ticket.claims)
    flipped[flipped.length - 1]! ^= 1
    const damaged = { ...header, ticket: { ...allocation.ticket, claims: flipped } }
    await expectError(primary.node.upload(damaged, slicesOf(pack)), 'permission-denied')
    const good = { ...header, ticket: allocation.ticket }
    for (const wrong of [third, replica]) {
      await expectError(wrong.node.upload(good, slicesOf(pack)), 'permission-denied')
    }
    await expectError(third.node.replicate(good, slicesOf(pack)), 'permission-denied')
    clock.advance(16 * 60_000)
    await cluster.beatAll()
    await expectError(primary.node.upload(good, slicesOf(pack)), 'permission-denied')
    expect(await cluster.files()).to.deep.equal([])
  })

  it('refuses a pack that is longer than its ticket allows', async () => {
    const { allocation, pack, primary } = await attempt()
    const header = { ticket: allocation.ticket, replicas: allocation.replicas, lengthBytes: pack.length + 1 }
    await expectError(primary.node.upload(header, slicesOf(pack)), 'invalid-argument')
  })

  it('takes no writes once its lease ran out', async () => {
    const { upload } = await attempt()
    clock.advance(31_000)
    await expectError(upload(), 'read-only')
    await cluster.beatAll()
    await upload()
  })

  it("fails with no-room when the primary's disk fills up, and goes on when there is room again", async () => {
    const made = await attempt()
    const { primary } = made
    primary.disk.fail('write', new TwofoldError('no-room', 'disk full'))
    await expectError(made.upload(), 'no-room')
    primary.disk.fail('write', undefined)
    await expectNothingLeft(made)
    expect(primary.store.problem).to.equal('')
    primary.disk.free = 1000
    const next = await attempt()
    if (next.primary === primary) await expectError(next.upload(), 'no-room')
    expect((await primary.store.usage()).freeBytes).to.equal(0)
  })

  it('turns read-only for good when an fsync fails', async () => {
    const made = await attempt()
    made.primary.disk.fail('sync', new TwofoldError('io', 'EIO'))
    await expectError(made.upload(), 'io')
    made.primary.disk.fail('sync', undefined)
    await expectNothingLeft(made)
    expect(made.primary.store.problem).to.match(/disk failed/)
    expect(made.primary.node.writable).to.equal(false)
    const info = (await cluster.manager.listNodes()).find((node) => node.node.name === made.primary.name)
    expect(info).to.include({ writable: false })
    for (let round = 0; round < 8; round++) {
      const { primary, replicas } = await allocate(cluster, session, 1_000_000)
      expect([primary, ...replicas].map((node) => node.name)).not.to.include(made.primary.name)
    }
  })

  it('drops exactly the put that an order names', async () => {
    const { allocation, primary, upload } = await attempt()
    await upload()
    const { packId } = allocation
    expect(await primary.store.remove(packId, { putSequenceMax: 0 })).to.equal(false)
    expect(primary.store.stat(packId)).not.to.equal(undefined)
    const { putSequence } = primary.store.stat(packId)!
    expect(await primary.store.remove(packId, { putSequenceMax: putSequence })).to.equal(true)
    expect(primary.store.stat(packId)).to.equal(undefined)
  })

  it('holds at most a few slices of an upload, whatever the length of the pack', async () => {
    const { pack, upload } = await attempt(150)
    const slice = 65_536
    const stats = { taken: 0, most: 0, durable: 0 }
    for (const node of cluster.nodes) node.onSlice = (offset) => (stats.durable = Math.max(stats.durable, offset))
    await upload(
      slicesOf(pack, slice, (offset) => {
        stats.taken = offset
        stats.most = Math.max(stats.most, stats.taken - stats.durable)
      }),
    )
    expect(pack.length).to.be.greaterThan(15_000_000)
    expect(stats.most)
      .to.be.greaterThan(0)
      .and.to.be.at.most(3 * slice)
  })
})
