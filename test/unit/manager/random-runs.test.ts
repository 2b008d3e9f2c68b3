import { expect } from 'chai'
import { randomHexId } from '../../../src/core/ids.ts'
import { isTwofoldError } from '../../../src/core/errors.ts'
import type { Incarnation, PackId, SnapshotId } from '../../../src/core/ids.ts'
import type { Session } from '../../../src/core/messages.ts'
import type { NodeRef, Ticket } from '../../../src/core/model.ts'
import { readTicketUnchecked } from '../../../src/format/tickets.ts'
import { PaperCluster, anyFilter, chunk } from './cluster-fixture.ts'
import type { Draft, PaperNode } from './cluster-fixture.ts'

type Fate = 'open' | 'committed' | 'abandoned' | 'unknown'

interface KnownPack {
  readonly session: Session
  readonly name: string
  ticket: Ticket
  fate: Fate
  /** Stores whose receipts were in the commit. */
  holders: NodeRef[]
}

/** Clients, nodes and restarts in a random order, and what must hold whatever that order is. */
class RandomRun {
  readonly cluster: PaperCluster
  readonly packs = new Map<PackId, KnownPack>()
  readonly committed: SnapshotId[] = []
  #sessions: Session[] = []
  readonly #drafts: Draft[] = []
  #names = 0

  constructor(cluster: PaperCluster) {
    this.cluster = cluster
  }

  async step(): Promise<void> {
    const steps = [
      () => this.#begin(),
      () => this.#allocate(),
      () => this.#allocate(),
      () => this.#allocate(),
      () => this.#commit(),
      () => this.#commit(),
      () => this.#commit(),
      () => this.#replace(),
      () => this.#abandon(),
      () => this.#snapshot(),
      () => this.#snapshot(),
      () => this.#end(),
      () => this.#wait(),
      () => this.#wait(),
      () => this.#beat(),
      () => this.#beat(),
      () => this.#beat(),
      () => this.#reformat(),
      () => this.cluster.open(),
    ]
    try {
      await this.#pick(steps)?.()
    } catch (error) {
      // Refusals are part of the game; anything that is not one is a defect.
      if (!isTwofoldError(error) || error.code === 'internal') throw error
    }
  }

  async check(): Promise<void> {
    const { manager } = this.cluster
    for (const [packId, pack] of this.packs) {
      const [location] = await manager.locateChunks('', [chunk(pack.name).chunkId])
      if (pack.fate === 'committed') expect(location, 'a committed pack').not.to.equal(undefined)
      if (pack.fate === 'abandoned') expect(location, 'an abandoned pack').to.equal(undefined)
      // A chunk whose pack lost copies may have been uploaded again, and then lies elsewhere.
      if (location?.pack.packId !== packId) continue
      for (const node of location.pack.nodes) {
        const holder = pack.holders.find((other) => other.nodeId === node.nodeId)
        expect(holder?.incarnation, 'the store that signed').to.equal(node.incarnation)
      }
    }
    const { items } = await manager.listSnapshots(anyFilter, { pageSize: 1000, pageToken: '' })
    expect(items.map((item) => item.snapshotId)).to.deep.equal(this.committed)
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.cluster.random.fraction() * from.length)]
  }

  #pickPack(): [PackId, KnownPack] | undefined {
    return this.#pick([...this.packs])
  }

  async #begin(): Promise<void> {
    this.#sessions.push(await this.cluster.begin())
  }

  async #allocate(): Promise<void> {
    const session = this.#pick(this.#sessions)
    if (session === undefined) return
    const { packId, ticket } = await this.cluster.allocate(session)
    const name = `chunk ${this.#names++}`
    this.packs.set(packId, { session, name, ticket, fate: 'open', holders: [] })
  }

  async #commit(): Promise<void> {
    const [packId, pack] = this.#pickPack() ?? []
    if (packId === undefined || pack === undefined) return
    const { primary, replicas } = readTicketUnchecked(pack.ticket)
    const wanted = this.cluster.random.fraction() < 0.8 ? 2 : 1
    const refs = [primary, ...replicas].slice(0, wanted)
    const receipts = refs.map((ref) =>
      this.cluster.node(ref.nodeId).receipt(pack.ticket, new Uint8Array(32), { incarnation: ref.incarnation }),
    )
    const before = pack.fate
    await this.cluster.manager.commitPack({ ticket: pack.ticket, receipts, entries: [chunk(pack.name)] })
    expect(before, 'what was committed').to.be.oneOf(['open', 'committed'])
    if (before === 'committed') return
    expect(wanted, 'receipts of a commit').to.equal(2)
    pack.fate = 'committed'
    pack.holders = refs
  }

  async #replace(): Promise<void> {
    const [, pack] = this.#pickPack() ?? []
    if (pack === undefined) return
    const [failed] = readTicketUnchecked(pack.ticket).replicas
    if (failed === undefined) return
    const request = { ticket: pack.ticket, failedNodeId: failed.nodeId, reason: 'random' }
    pack.ticket = (await this.cluster.manager.replaceReplica(request)).ticket
    expect(pack.fate).to.equal('open')
  }

  async #abandon(): Promise<void> {
    const [packId, pack] = this.#pickPack() ?? []
    if (packId === undefined || pack === undefined) return
    const { committed } = await this.cluster.manager.abandonPack({ session: pack.session, packId, reason: 'random' })
    expect(committed).to.equal(pack.fate === 'committed')
    if (!committed) pack.fate = 'abandoned'
  }

  async #snapshot(): Promise<void> {
    const session = this.#pick(this.#sessions)
    if (session === undefined) return
    const mine = [...this.packs.values()].filter((pack) => pack.session === session && pack.fate === 'committed')
    const names = mine.map((pack) => pack.name)
    if (names.length > 0) this.#drafts.push(await this.cluster.upload(session, names, { tags: [`${this.#names++}`] }))
    const draft = this.#pick(this.#drafts)
    if (draft === undefined) return
    const { snapshotId, durability } = await this.cluster.manager.commitSnapshot(draft)
    if (this.committed.includes(snapshotId)) return
    expect(durability.copies, 'copies of a new snapshot').to.be.at.least(2)
    this.committed.push(snapshotId)
    this.#over(draft.session)
  }

  async #end(): Promise<void> {
    const session = this.#pick(this.#sessions)
    if (session === undefined || this.cluster.random.fraction() < 0.5) return
    await this.cluster.manager.endSession(session, 'random')
    this.#over(session)
  }

  #over(session: Session): void {
    this.#sessions = this.#sessions.filter((other) => other !== session)
    for (const pack of this.packs.values()) {
      if (pack.session.sessionId === session.sessionId && pack.fate === 'open') pack.fate = 'abandoned'
    }
  }

  async #wait(): Promise<void> {
    const rare = this.cluster.random.fraction() < 0.1
    this.cluster.clock.advance(this.#pick(rare ? [20_000, 61_000, 700_000] : [10, 100, 1000, 2000]) ?? 0)
    this.cluster.clock.setWall(Math.floor(this.cluster.random.fraction() * 1e12))
    await this.cluster.manager.sweep()
  }

  /** A node reports, and no order that it gets names a copy that was acknowledged. */
  async #beat(): Promise<void> {
    for (const node of this.cluster.nodes) {
      if (this.cluster.random.fraction() < 0.1) continue
      const { orders } = await node.heartbeat({ incarnation: node.incarnation })
      for (const { action } of orders) {
        if (action.kind !== 'drop-pack') continue
        const pack = this.packs.get(action.packId)
        const holds = pack?.holders.some((ref) => ref.nodeId === node.id && ref.incarnation === action.incarnation)
        expect(holds === true && pack?.fate === 'committed', 'an order to drop an acknowledged copy').to.equal(false)
      }
      const results = orders.map((order) => ({
        orderId: order.orderId,
        done: true,
        problem: '',
        code: undefined,
        receipt: undefined,
      }))
      if (this.cluster.random.fraction() < 0.5) await node.heartbeat({ incarnation: node.incarnation, results })
    }
  }

  async #reformat(): Promise<void> {
    const node = this.#pick(this.cluster.nodes) as PaperNode
    if (this.cluster.random.fraction() < 0.7) return
    node.incarnation = randomHexId<Incarnation>(this.cluster.random)
    await node.register({ bootId: randomHexId(this.cluster.random), putSequence: node.putSequence })
  }
}

describe('random runs', () => {
  for (let seed = 1; seed <= 25; seed++) {
    it(`keep what was promised, seed ${seed}`, async () => {
      const run = new RandomRun(await PaperCluster.start(4, { seed }))
      for (let turn = 0; turn < 200; turn++) {
        await run.step()
        if (turn % 20 === 19) await run.check()
      }
      await run.cluster.catalogue.close()
    })
  }

  it('do reach the states that matter', async () => {
    const fates = new Set<Fate>()
    let snapshots = 0
    for (let seed = 100; seed < 106; seed++) {
      const run = new RandomRun(await PaperCluster.start(4, { seed }))
      for (let turn = 0; turn < 200; turn++) await run.step()
      for (const pack of run.packs.values()) fates.add(pack.fate)
      snapshots += run.committed.length
    }
    expect([...fates]).to.include.members(['committed', 'abandoned'])
    expect(snapshots).to.be.greaterThan(3)
  })
})
