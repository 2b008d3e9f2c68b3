import { expect } from 'chai'
import { untilAborted } from '../../../src/core/abort.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { NodeRef, Receipt, Ticket } from '../../../src/core/model.ts'
import type { PackIntake } from '../../../src/node/pack-intake.ts'
import type { PeerApi } from '../../../src/node/peer-api.ts'
import { ReplicaFeed } from '../../../src/node/replica-feed.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { expectError } from '../../support/expect-error.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { nodeRef, ticketOf } from './node-fixture.ts'

const lengthBytes = 10_000
const sliceLength = 1000

describe('feed of a replica', () => {
  const content = Buffer.from(new SeededRandom(1).bytes(lengthBytes))
  /** What is in the primary's file. */
  let received: number
  /** What each replica got, by name. */
  let got: Record<string, Buffer[]>
  /** How many bytes a replica takes before it fails; all unless it is here. */
  let breaks: Record<string, number>
  let replaced: string[]
  let controller: AbortController
  const clock = new AutoClock()

  beforeEach(() => {
    received = 0
    got = {}
    breaks = {}
    replaced = []
    controller = new AbortController()
  })

  const intake = {
    get received() {
      return received
    },
    read: (target: Uint8Array, offset: number) => Promise.resolve(content.subarray(offset, received).copy(target)),
  } as unknown as PackIntake

  const peers: PeerApi = {
    replicate: async (peer, _header, slices, { signal } = {}) => {
      const parts = (got[peer.name] = [] as Buffer[])
      let bytes = 0
      if ((breaks[peer.name] ?? 1) === 0) throw new TwofoldError('unavailable', 'gone')
      for await (const slice of untilAborted(slices, signal!)) {
        parts.push(Buffer.from(slice))
        bytes += slice.length
        if (bytes >= (breaks[peer.name] ?? Infinity)) throw new TwofoldError('unavailable', 'gone')
      }
      return { claims: Buffer.from(peer.name), signature: new Uint8Array(0) } satisfies Receipt
    },
  }

  function feed(spares: NodeRef[] = []): ReplicaFeed {
    const replace = (failed: NodeRef): Promise<{ ticket: Ticket; replica: NodeRef }> => {
      replaced.push(failed.name)
      const replica = spares.shift()
      if (replica === undefined) return Promise.reject(new TwofoldError('not-enough-nodes', 'nobody is left'))
      return Promise.resolve({ ticket: ticketOf({ generation: replaced.length + 1 }), replica })
    }
    const deps = { peers, intake, lengthBytes, signal: controller.signal, replace, clock, random: new SeededRandom(2) }
    return new ReplicaFeed(deps, { ticket: ticketOf(), replica: nodeRef(2) })
  }

  /** As the upload does: a slice is offered and appended at the same time, and the next one comes after both. */
  async function send(to: ReplicaFeed, untilByte = lengthBytes): Promise<void> {
    while (received < untilByte) {
      const offset = received
      // Memory that is used again for the next slice, as that of a network buffer is.
      const slice = Buffer.from(content.subarray(offset, offset + sliceLength))
      await Promise.all([to.offer(slice, offset), Promise.resolve().then(() => (received += slice.length))])
      slice.fill(0)
      to.appended()
    }
  }

  const complete = (name: string): boolean => Buffer.concat(got[name]!).equals(content)

  it('passes every slice on while it arrives', async () => {
    const to = feed()
    await send(to)
    const { node, receipt } = await to.delivered
    expect(node.name).to.equal('n2')
    expect(Buffer.from(receipt.claims).toString()).to.equal('n2')
    expect(complete('n2')).to.equal(true)
    expect(got['n2']).to.have.length(10)
  })

  for (const at of [0, 1, sliceLength, 5500, lengthBytes - 1, lengthBytes]) {
    it(`sends all of it to another when the replica is lost after ${at} bytes`, async () => {
      breaks = { n2: at }
      const to = feed([nodeRef(3)])
      await send(to)
      expect((await to.delivered).node.name).to.equal('n3')
      expect(replaced).to.deep.equal(['n2'])
      expect(complete('n3')).to.equal(true)
    })
  }

  it('goes on to a third', async () => {
    breaks = { n2: 3000, n3: 6000 }
    const to = feed([nodeRef(3), nodeRef(4)])
    await send(to)
    expect((await to.delivered).node.name).to.equal('n4')
    expect(replaced).to.deep.equal(['n2', 'n3'])
    expect(complete('n4')).to.equal(true)
  })

  it('fails, also whoever waits with a slice, when nobody is left', async () => {
    breaks = { n2: 3000 }
    const to = feed()
    await expectError(send(to), 'not-enough-nodes')
    await expectError(to.delivered, 'not-enough-nodes')
    await expectError(to.offer(content.subarray(0, 1), received), 'not-enough-nodes')
  })

  it('replaces nobody when the upload is over', async () => {
    const to = feed([nodeRef(3)])
    await send(to, 5000)
    controller.abort(new TwofoldError('cancelled', 'the client is gone'))
    await expectError(to.delivered, 'cancelled')
    expect(replaced).to.deep.equal([])
  })
})
