import { connect } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { expect } from 'chai'
import { randomHexId } from '../../src/core/ids.ts'
import { packStreamBytes, openPacksPerSessionMax, uploadBytesAdmitted } from '../../src/core/limits.ts'
import type { Allocation } from '../../src/core/messages.ts'
import { systemRandom } from '../../src/system/random.ts'
import { expectError } from '../support/expect-error.ts'
import { packOf, snapshotOf, treeRecord } from '../support/hand-made-snapshot.ts'
import type { HandMadeSnapshot } from '../support/hand-made-snapshot.ts'
import { collect } from '../support/restore-bench.ts'
import { UploadTester, frame, header, noise, sealed, slices, uploadTester } from '../support/upload-tester.ts'
import { WireCluster, slicesOf, until } from '../support/wire-cluster.ts'

describe('clients that share, or stand still', () => {
  const tester = uploadTester()

  idleReaders(tester)
  sharedSessions(tester)
})

function idleReaders(tester: () => UploadTester): void {
  it('clients that stop reading cost little memory, and keep nobody from reading', async () => {
    const { cluster } = tester()
    const { pack, allocation, session } = await tester().attempt()
    const { primary, packId } = allocation
    await cluster.storageApi.upload(primary, cluster.headerOf(allocation, pack.length), slicesOf(pack))
    const all = { offset: 0, length: pack.length }
    const ranges = Array.from({ length: 4000 }, () => all)
    const before = process.memoryUsage().arrayBuffers
    // Together they ask for 20 GB.
    const idle = Array.from({ length: 20 }, () => cluster.storageApi.read(primary, { packId, ranges }))
    for (const messages of idle) await messages.next()
    for (let turn = 0; turn < 20; turn++) {
      const parts: Uint8Array[] = []
      for await (const { data } of cluster.storageApi.read(primary, { packId, ranges: [all] })) {
        parts.push(Buffer.from(data))
      }
      expect(Buffer.concat(parts).equals(pack)).to.equal(true)
    }
    expect((await cluster.storageApi.stat(primary, packId)).present).to.equal(true)
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(200_000_000)
    for (const messages of idle) await messages.return(undefined)
    await cluster.managerApi.endSession(session, 'the test is over')
  })
}

function sharedSessions(tester: () => UploadTester): void {
  describe('two clients with the same session', () => {
    it('get the same pack for the same request, and only one of two streams of it at a time', async () => {
      const { cluster } = tester()
      const session = await cluster.session()
      const pack = packOf(session, await noise(session))
      const request = { session, requestId: 'the same', lengthBytes: pack.length, excludeNodeIds: [] }
      const { managerApi, storageApi } = cluster
      const [one, two] = await Promise.all([managerApi.allocatePack(request), managerApi.allocatePack(request)])
      expect(two.packId).to.equal(one.packId)
      const upload = cluster.headerOf(one, pack.length)
      const halfway = Promise.withResolvers<void>()
      const goOn = Promise.withResolvers<void>()
      const stall = async (sent: number): Promise<void> => {
        if (sent < 100_000) return
        halfway.resolve()
        await goOn.promise
      }
      const first = storageApi.upload(one.primary, upload, slicesOf(pack, { before: stall }))
      await halfway.promise
      await until(() => cluster.files(one.packId).length > 0)
      await expectError(storageApi.upload(one.primary, upload, slicesOf(pack)), 'fenced')
      goOn.resolve()
      const { receipts } = await first
      const repeated = await storageApi.upload(one.primary, upload, slicesOf(pack))
      expect(repeated.receipts).to.have.length(receipts.length)
      expect(sealed(cluster, one.packId)).to.have.length(2)
      await managerApi.endSession(session, 'the test is over')
    })

    it('commit one snapshot: the other is told that the session is over', async () => {
      const { cluster } = tester()
      const session = await cluster.session()
      const drafts: HandMadeSnapshot[] = []
      for (const client of ['one', 'two']) {
        const root = await treeRecord(session, [{ name: Buffer.from(client) }])
        const draft = await snapshotOf(session, root, client)
        const pack = packOf(session, [root, draft.record])
        const allocation = await cluster.allocate(session, pack.length)
        const upload = cluster.headerOf(allocation, pack.length)
        await cluster.storageApi.upload(allocation.primary, upload, slicesOf(pack))
        drafts.push(draft)
      }
      const commit = ({ snapshotId, manifest }: HandMadeSnapshot): Promise<unknown> =>
        cluster.managerApi.commitSnapshot({ session, snapshotId, manifest })
      const outcomes = await Promise.allSettled(drafts.map(commit))
      expect(outcomes.map((outcome) => outcome.status).toSorted()).to.deep.equal(['fulfilled', 'rejected'])
      const loser = drafts.find((_, index) => outcomes[index]?.status === 'rejected')!
      const winner = drafts.find((draft) => draft !== loser)!
      await expectError(commit(loser), 'session-ended')
      await commit(winner)
      const found = await collect(cluster.client().snapshots({ host: 'one' }))
      const others = await collect(cluster.client().snapshots({ host: 'two' }))
      expect([...found, ...others].map(({ id }) => id)).to.deep.equal([winner.snapshotId])
    })

    it('do not share it without its secret', async () => {
      const { cluster } = tester()
      const session = await cluster.session()
      const guess = { sessionId: session.sessionId, sessionToken: randomHexId<string>(systemRandom) }
      await expectError(cluster.allocate(guess, 1000), 'permission-denied')
      await expectError(cluster.managerApi.endSession(guess, 'not mine'), 'permission-denied')
      await cluster.allocate(session, 1000)
      await cluster.managerApi.endSession(session, 'the test is over')
    })
  })
}

describe('clients that vanish in the middle of an upload', () => {
  let cluster: WireCluster
  const sessions: ClientHttp2Session[] = []
  before(async () => (cluster = await WireCluster.start({ nodes: ['n1', 'n2'], capacityBytes: 2e9 })))
  after(() => cluster.stop())
  afterEach(() => {
    for (const session of sessions) session.destroy()
  })

  /** A connection of its own on which half of the pack has been sent. */
  function halfUpload({ primary, ticket, replicas }: Allocation, pack: Uint8Array): ClientHttp2Session {
    const session = connect(`http://${primary.address}`)
    session.on('error', () => undefined)
    sessions.push(session)
    const stream: ClientHttp2Stream = session.request({
      ...{ ':method': 'POST', ':path': '/twofold.v1.Storage/Upload' },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    })
    stream.on('error', () => undefined)
    stream.write(frame(header(ticket, replicas, pack.length)))
    for (const part of slices(pack.subarray(0, pack.length / 2))) stream.write(frame(part))
    return session
  }

  it('leave nothing behind, and the same ticket is good for another attempt', async () => {
    const session = await cluster.session()
    const pack = packOf(session, await noise(session))
    for (const cut of ['socket', 'session'] as const) {
      const allocation = await cluster.allocate(session, pack.length)
      const connection = halfUpload(allocation, pack)
      await until(() => cluster.files(allocation.packId).length === 2)
      if (cut === 'socket') connection.socket.destroy()
      else connection.destroy()
      await until(() => cluster.files(allocation.packId).length === 0)
      await new UploadTester(cluster).sendAgain({ allocation, pack })
    }
    await cluster.managerApi.endSession(session, 'the test is over')
  })

  it('give their places back: a node that was full of them takes packs again', async () => {
    let session = await cluster.session()
    const pack = packOf(session, await noise(session))
    const before = cluster.files().length
    const connections: ClientHttp2Session[] = []
    const most = Math.floor(uploadBytesAdmitted / Math.min(packStreamBytes, pack.length))
    const room = new Map([...cluster.nodes.keys()].map((name) => [name, most]))
    for (let tried = 0; connections.length < 2 * most; tried++) {
      if (tried % openPacksPerSessionMax === 0) session = await cluster.session()
      const allocation = await cluster.allocate(session, pack.length)
      const left = room.get(allocation.primary.name) ?? 0
      if (left === 0) {
        await cluster.managerApi.abandonPack({ session, packId: allocation.packId, reason: 'the other node is wanted' })
        continue
      }
      room.set(allocation.primary.name, left - 1)
      connections.push(halfUpload(allocation, pack))
    }
    await until(() => cluster.files().length === before + 4 * most)
    const other = await cluster.session()
    const allocation = await cluster.allocate(other, pack.length)
    const upload = cluster.headerOf(allocation, pack.length)
    await expectError(cluster.storageApi.upload(allocation.primary, upload, slicesOf(pack)), 'overloaded')
    const uploads = async (): Promise<number[]> => (await cluster.managerApi.listNodes()).map((info) => info.uploads)
    await until(async () => (await uploads()).every((count) => count === 2 * most))
    for (const connection of connections) connection.destroy()
    await until(() => cluster.files().length === before)
    await until(async () => (await uploads()).every((count) => count === 0))
    await cluster.storageApi.upload(allocation.primary, upload, slicesOf(pack))
    // No room is reserved for them any more.
    await until(async () => {
      const infos = await cluster.managerApi.listNodes()
      return infos.every(({ usedBytes, freeBytes, capacityBytes }) => usedBytes + freeBytes === capacityBytes)
    })
  })
})
