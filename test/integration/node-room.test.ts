import { expect } from 'chai'
import { packStreamBytesMin, replicaRoomPatienceMs, roomPatienceMs } from '../../src/core/limits.ts'
import type { Allocation, Session } from '../../src/core/messages.ts'
import type { ReadSlice } from '../../src/core/storage-messages.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import type { RoomSizes } from '../../src/node/node-room.ts'
import { AutoClock } from '../support/auto-clock.ts'
import { expectError } from '../support/expect-error.ts'
import { allocate, beginSession, makePack, slicesOf } from '../support/hand-made-upload.ts'
import { NodeCluster } from '../support/node-cluster.ts'

const names = ['n1', 'n2', 'n3', 'n4']
const sliceLength = 65_536
const onePack = { uploads: packStreamBytesMin, replications: packStreamBytesMin, reads: 1 }

describe('room on nodes', () => {
  let clock: AutoClock
  let cluster: NodeCluster
  let session: Session
  let pack: Uint8Array

  async function start(room: RoomSizes, copies = 2): Promise<void> {
    clock = new AutoClock()
    const catalogue = openSqliteCatalogue(':memory:')
    await catalogue.write((tx) =>
      tx.vaults.add({ name: 'wide', vaultId: new Uint8Array(16).fill(9), copies, minCopies: copies }),
    )
    // Also one slice in work at a time, so that there is more to wait for.
    const intake = { uploads: sliceLength, replications: sliceLength }
    cluster = await NodeCluster.start(names, { clock, room, intake, catalogue })
    session = await beginSession(cluster, 'wide')
    pack = await makePack(cluster, session, 2)
  }

  /** One pack's way. `before` is waited for ahead of every slice that anybody asks for. */
  async function upload(allocation: Allocation, before = async (): Promise<void> => undefined): Promise<number> {
    const { ticket, primary, replicas } = allocation
    const header = { ticket, replicas, lengthBytes: pack.length }
    async function* slices(): AsyncGenerator<Uint8Array> {
      for await (const slice of slicesOf(pack, sliceLength)) {
        await before()
        yield slice
      }
    }
    const result = await cluster.clientPorts.storage.upload(primary, header, slices())
    return result.receipts.length
  }

  /** An allocation that suits. */
  async function like(suits: (allocation: Allocation) => boolean): Promise<Allocation> {
    for (;;) {
      const allocation = await allocate(cluster, session, pack.length)
      if (suits(allocation)) return allocation
      await cluster.manager.abandonPack({ session, packId: allocation.packId, reason: 'not this one' })
    }
  }

  /** An upload that has begun and stands still. @returns what lets it go on, and then waits for its end */
  async function standing(allocation: Allocation): Promise<() => Promise<number>> {
    const begun = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const done = upload(allocation, () => {
      begun.resolve()
      return goOn.promise
    })
    await begun.promise
    return () => {
      goOn.resolve()
      return done
    }
  }

  const letIn = (): number => cluster.nodes.reduce((sum, { node }) => sum + node.bytesLetIn, 0)

  for (const copies of [2, 3, 4]) {
    it(`for one pack at a time: many of ${copies} copies that cross each other never wait in a circle`, async () => {
      // Nobody is refused for an hour, so a circle would be seen.
      await start({ ...onePack, patienceMs: 3_600_000 }, copies)
      const allocations = []
      for (let n = 0; n < 32; n++) allocations.push(await allocate(cluster, session, pack.length))
      const receipts = await Promise.all(allocations.map((allocation) => upload(allocation)))
      expect(new Set(receipts)).to.deep.equal(new Set([copies]))
      expect(new Set(allocations.map(({ primary }) => primary.name)).size).to.equal(names.length)
      expect([letIn(), clock.monotonicMs()]).to.deep.equal([0, 0])
    })
  }

  it('is asked for before any byte: who has to wait too long has sent nothing', async () => {
    await start(onePack)
    const first = await like(() => true)
    const goOn = await standing(first)
    const asked: string[] = []
    const look = async (): Promise<void> => void asked.push('slice')
    const same = await like(({ primary }) => primary.name === first.primary.name)
    const from = clock.monotonicMs()
    const refusal = await expectError(upload(same, look), 'overloaded')
    expect(clock.monotonicMs() - from).to.equal(roomPatienceMs)
    expect(refusal.retryAfterMs).to.be.greaterThan(0)
    const [replica] = first.replicas
    const behind = await like(
      ({ primary, replicas }) => primary.name !== first.primary.name && replicas[0]?.name === replica?.name,
    )
    await expectError(upload(behind, look), 'overloaded')
    expect(clock.monotonicMs() - from).to.be.within(2 * roomPatienceMs, 3 * roomPatienceMs + replicaRoomPatienceMs)
    expect(asked).to.deep.equal([])
    expect(await goOn()).to.equal(2)
    // Nothing was spent: the same tickets are still good.
    expect(await Promise.all([upload(same), upload(behind)])).to.deep.equal([2, 2])
    expect(letIn()).to.equal(0)
  })

  it('of replications is not that of uploads: a node that takes one of each takes both', async () => {
    await start(onePack)
    const there = await like(() => true)
    const back = await like(
      ({ primary, replicas }) => primary.name === there.replicas[0]?.name && replicas[0]?.name === there.primary.name,
    )
    const ends = [await standing(there), await standing(back)]
    expect(await Promise.all(ends.map((goOn) => goOn()))).to.deep.equal([2, 2])
    expect(clock.monotonicMs()).to.equal(0)
  })

  it('of reads is bounded too: one that does not fit is refused, and uploads do not mind', async () => {
    await start(onePack)
    const { primary, packId, ...rest } = await like(() => true)
    await upload({ primary, packId, ...rest })
    const { node } = cluster.byRef(primary)
    const read = (): AsyncGenerator<ReadSlice> => node.read({ packId, ranges: [] })
    const first = read()
    await first.next()
    const refusal = await expectError(read().next(), 'overloaded')
    expect(refusal.retryAfterMs).to.be.greaterThan(0)
    await upload(await like((other) => other.primary.name === primary.name))
    await first.return(undefined)
    expect((await read().next()).done).to.equal(false)
  })

  it('of reads that is half taken is shared out in shorter messages', async () => {
    await start({ reads: 6 * 131_072 })
    const allocation = await like(() => true)
    await upload(allocation)
    const { node } = cluster.byRef(allocation.primary)
    const reads = Array.from({ length: 2 }, () => node.read({ packId: allocation.packId, ranges: [] }))
    const lengths: number[] = []
    for (const each of reads) lengths.push(((await each.next()).value as ReadSlice).data.length)
    expect(lengths).to.deep.equal([pack.length, 131_072])
    for (const each of reads) await each.return(undefined)
    expect(letIn()).to.equal(0)
  })
})
