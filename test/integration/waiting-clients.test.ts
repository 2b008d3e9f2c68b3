import { expect } from 'chai'
import { TwofoldError } from '../../src/core/errors.ts'
import { randomHexId } from '../../src/core/ids.ts'
import { packStreamBytesMin, roomRetryMostMs } from '../../src/core/limits.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { Client } from '../../src/client/client.ts'
import type { ProgressEvent } from '../../src/client/progress.ts'
import type { StorageApi } from '../../src/client/storage-api.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import type { RoomSizes } from '../../src/node/node-room.ts'
import { AutoClock } from '../support/auto-clock.ts'
import { MemorySource } from '../support/memory-source.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { NodeCluster } from '../support/node-cluster.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const onePack: RoomSizes = { uploads: packStreamBytesMin, replications: packStreamBytesMin, reads: 1 }
const paths = [Buffer.from('/src')]

describe('clients of nodes that have room for one pack and one read', () => {
  let clock: AutoClock
  let cluster: NodeCluster
  const random = new SeededRandom(5)

  beforeEach(async () => {
    clock = new AutoClock()
    cluster = await NodeCluster.start(['n1', 'n2', 'n3'], { clock, room: onePack })
  })

  function client(storage: StorageApi = cluster.clientPorts.storage): Client {
    return new Client({
      ...cluster.clientPorts,
      storage,
      ...{ clock, random, logger: silentLogger, codec: inlineCodec, packBytes: 5 << 20 },
      ...{ clientId: randomHexId<string>(random), hostName: 'h', userName: 'u', program: 'test' },
      close: () => undefined,
    })
  }

  function source(): MemorySource {
    const made = new MemorySource()
    made.file('/src/large', random.bytes(2_500_000))
    made.file('/src/small', random.bytes(100))
    return made
  }

  it('all get done, though most are refused again and again, and no pack is given up for that', async () => {
    const backups = Array.from({ length: 30 }, () => client().backup({ source: source(), paths }))
    const summaries = await Promise.all(backups)
    expect(new Set(summaries.map(({ snapshot }) => snapshot?.id)).size).to.equal(30)
    expect(summaries.every(({ problems }) => problems === 0)).to.equal(true)
    expect(cluster.nodes.map(({ node }) => node.bytesLetIn)).to.deep.equal([0, 0, 0])
    const restores = summaries.map(async ({ snapshot }) => {
      const target = new MemoryTarget()
      const { problems } = await client().restore({ reference: snapshot?.id ?? '', target })
      return [problems, target.at('src/large')?.content.length]
    })
    expect(new Set((await Promise.all(restores)).join(';').split(';'))).to.deep.equal(new Set(['0,2500000']))
  })

  it('wait for hours if need be, say for whom, and then go on', async () => {
    const { storage } = cluster.clientPorts
    let refusals = 0
    const until = clock.monotonicMs() + 3 * 3_600_000
    const refuse = (): void => {
      if (clock.monotonicMs() > until) return
      refusals += 1
      throw new TwofoldError('overloaded', 'no room', { retryAfterMs: 250 })
    }
    const full: StorageApi = {
      ...storage,
      upload: async (...call) => {
        refuse()
        return storage.upload(...call)
      },
    }
    const events: ProgressEvent[] = []
    const onEvent = (event: ProgressEvent): void => void events.push(event)
    const waitedFor = (): string[] =>
      events.splice(0).flatMap((event) => (event.type === 'status' ? event.waitingFor : []))
    const { snapshot } = await client(full).backup({ source: source(), paths }, { onEvent })
    expect(clock.monotonicMs()).to.be.greaterThan(until)
    expect(new Set(waitedFor())).to.deep.equal(new Set(['n1', 'n2', 'n3']))
    // Asked again by the same ticket some times before other nodes are asked for, and less and less often.
    expect(refusals).to.be.within((3 * 3_600_000) / roomRetryMostMs, (6 * 3_600_000) / 3000)
    expect(cluster.count('allocatePack')).to.be.lessThan(refusals / 3)
    expect(snapshot?.durability.copies).to.equal(2)
  })

  it('restore when nodes have room again, and blame no copy', async () => {
    const { snapshot } = await client().backup({ source: source(), paths })
    const { storage } = cluster.clientPorts
    const until = clock.monotonicMs() + 600_000
    const full: StorageApi = {
      ...storage,
      read: async function* (...call) {
        if (clock.monotonicMs() < until) throw new TwofoldError('overloaded', 'no room', { retryAfterMs: 250 })
        yield* storage.read(...call)
      },
    }
    const events: ProgressEvent[] = []
    const target = new MemoryTarget()
    const onEvent = (event: ProgressEvent): void => void events.push(event)
    const { problems } = await client(full).restore({ reference: snapshot?.id ?? '', target }, { onEvent })
    expect([problems, target.at('src/large')?.content.length]).to.deep.equal([0, 2_500_000])
    expect(clock.monotonicMs()).to.be.greaterThan(until)
    expect(events.filter(({ type }) => type === 'note')).to.deep.equal([])
    expect(events.some((event) => event.type === 'status' && event.waitingFor.length > 0)).to.equal(true)
  })
})
