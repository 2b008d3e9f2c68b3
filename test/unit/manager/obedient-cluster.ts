import { expect } from 'chai'
import { blake3 } from '../../../src/format/hash.ts'
import { readTicketUnchecked } from '../../../src/format/tickets.ts'
import type { PackId } from '../../../src/core/ids.ts'
import type { CopyPack, DamagedCopy, Order, OrderResult } from '../../../src/core/messages.ts'
import { PaperCluster, chunk, resultOf } from './cluster-fixture.ts'
import type { ClusterOptions, PaperNode } from './cluster-fixture.ts'

/** Nodes on paper that do what they are ordered, a heartbeat at a time. */
export class ObedientCluster {
  readonly paper: PaperCluster
  readonly silent = new Set<PaperNode>()
  readonly damaged = new Map<PaperNode, DamagedCopy[]>()
  /** Every order that a node got, once. */
  readonly given: { readonly node: PaperNode; readonly order: Order }[] = []
  /** What a node answers instead of carrying an order out; undefined carries it out; `ignore` never answers. */
  answer: (node: PaperNode, order: Order) => Partial<OrderResult> | 'ignore' | undefined = () => undefined
  /** Of every node. */
  capacityBytes = 100 * 1024 ** 3
  readonly #results = new Map<PaperNode, OrderResult[]>()

  constructor(paper: PaperCluster) {
    this.paper = paper
  }

  static async start(nodes: number, options: ClusterOptions = {}): Promise<ObedientCluster> {
    return new ObedientCluster(await PaperCluster.start(nodes, options))
  }

  get nodes(): readonly PaperNode[] {
    return this.paper.nodes
  }

  node(index: number): PaperNode {
    const node = this.paper.nodes[index]
    if (node === undefined) throw new Error(`there is no node ${index}`)
    return node
  }

  /** Commits that many packs. */
  async fill(packs: number): Promise<PackId[]> {
    const session = await this.paper.begin()
    const ids: PackId[] = []
    for (let n = 0; n < packs; n++) {
      ids.push((await this.paper.store(session, [chunk(`${session.sessionId} ${n}`)])).packId)
    }
    await this.paper.manager.endSession(session, 'filled')
    await this.run(2)
    return ids
  }

  /** Lets seconds pass: each with a heartbeat of every node that is not silent, and the manager's own work. */
  async run(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.paper.clock.advance(1000)
      for (const node of this.nodes) if (!this.silent.has(node)) await this.#beat(node)
      while (await this.paper.manager.sweep());
    }
  }

  /** Nobody but these is heard of for so long that the manager gives them up. */
  async die(...nodes: PaperNode[]): Promise<void> {
    for (const node of nodes) this.silent.add(node)
    for (let tenth = 0; tenth < 10; tenth++) {
      this.paper.clock.advance(60_000)
      for (const node of this.nodes) if (!this.silent.has(node)) await this.#beat(node)
    }
    await this.run(1)
  }

  async #beat(node: PaperNode): Promise<void> {
    const results = this.#results.get(node) ?? []
    this.#results.set(node, [])
    const usedBytes = [...node.holdings.values()].reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
    const damaged = this.damaged.get(node) ?? []
    const { capacityBytes } = this
    const freeBytes = 100 * 1024 ** 3
    const usage = { capacityBytes, usedBytes, freeBytes, packs: node.holdings.size }
    const { orders } = await node.heartbeat({ results, ...usage, damaged })
    for (const order of orders) await this.#obey(node, order)
  }

  async #obey(node: PaperNode, order: Order): Promise<void> {
    if (!this.given.some((other) => other.order.orderId === order.orderId)) this.given.push({ node, order })
    const answer = this.answer(node, order)
    if (answer === 'ignore') return
    const result = resultOf(order.orderId, answer ?? (await this.#carryOut(node, order)))
    this.#results.set(node, [...(this.#results.get(node) ?? []), result])
  }

  async #carryOut(node: PaperNode, { action }: Order): Promise<Partial<OrderResult>> {
    switch (action.kind) {
      case 'send-inventory':
        await node.reportInventory()
        return {}
      case 'drop-pack': {
        const held = node.holdings.get(action.packId)
        if (action.incarnation !== node.incarnation || held === undefined) return {}
        const newer = action.putSequenceMax > 0 && held.putSequence > action.putSequenceMax
        if (newer) return { done: false, problem: 'a newer put of the pack is here' }
        node.holdings.delete(action.packId)
        return {}
      }
      case 'copy-pack':
        return this.#copy(node, action)
      case 'discard-damaged': {
        const left = (this.damaged.get(node) ?? []).filter(({ packId }) => packId !== action.packId)
        this.damaged.set(node, left)
        return {}
      }
      default:
        return {}
    }
  }

  #copy(node: PaperNode, action: CopyPack): Partial<OrderResult> {
    const claims = readTicketUnchecked(action.ticket)
    expect(claims.primary.nodeId, 'the source').to.equal(node.id)
    expect(claims.replicas.map((ref) => ref.nodeId)).to.deep.equal([action.target.nodeId])
    if (!node.holdings.has(action.packId)) return { done: false, code: 'not-found', problem: 'no such pack' }
    const target = this.paper.node(action.target.nodeId)
    if (this.silent.has(target)) return { done: false, code: 'unavailable', problem: 'no answer' }
    const held = target.holdings.get(action.packId)
    expect(held?.generation ?? 0, 'the generation').to.be.lessThan(claims.generation)
    return { receipt: target.receipt(action.ticket, blake3(Buffer.from(action.packId))) }
  }

  /** The nodes that do hold a pack. */
  holders(packId: PackId): PaperNode[] {
    return this.nodes.filter((node) => node.holdings.has(packId))
  }

  /** A copy goes bad; its node has put it aside. */
  damage(node: PaperNode, packId: PackId): void {
    const held = node.holdings.get(packId)
    if (held === undefined) throw new Error('the node has no such pack')
    node.holdings.delete(packId)
    const copy = { packId, putSequence: held.putSequence, problem: 'rot', foundAtMs: this.paper.clock.nowMs() }
    this.damaged.set(node, [...(this.damaged.get(node) ?? []), copy])
  }

  orders(kind: Order['action']['kind']): Order[] {
    return this.given.filter(({ order }) => order.action.kind === kind).map(({ order }) => order)
  }
}
