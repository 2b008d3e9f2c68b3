import type { Clock } from '../core/clock.ts'
import type { Durability, NodeRef, RepairActivity } from '../core/model.ts'
import type { Catalogue } from './catalogue.ts'
import type { Members } from './members.ts'
import { PackHolders } from './pack-holders.ts'
import type { HolderTally } from './pack-holders.ts'
import { domainOf } from './placement.ts'
import type { RepairWatch } from './repair-watch.ts'

/** Answers that are remembered: about 300 bytes each. */
const cachedMax = 20_000

/**
 * How safe snapshots are now. A snapshot's packs never change, so an answer stays true until copies of committed packs
 * come or go, or a node begins or ceases to count; `copiesChanged` says the former.
 */
export class DurabilityReader {
  readonly #catalogue: Catalogue
  readonly #clock: Clock
  readonly #members: Members
  readonly #repair: RepairWatch
  readonly #cache = new Map<number, Durability>()
  #holders: PackHolders
  #cachedFor = ''
  #version = 0
  #provenMs = -Infinity

  constructor(catalogue: Catalogue, clock: Clock, surroundings: { members: Members; repair: RepairWatch }) {
    this.#catalogue = catalogue
    this.#clock = clock
    this.#members = surroundings.members
    this.#repair = surroundings.repair
    this.#holders = new PackHolders(catalogue, clock, [])
  }

  copiesChanged(): void {
    this.#version += 1
  }

  /** Another text whenever an answer may have become another one, what repair does left aside. */
  get state(): string {
    return `${this.#version} ${this.#members.counted().join(',')}`
  }

  /** Copies were proven: what is remembered may be older by `laterMs`, because this happens all the time. */
  provenChanged(laterMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#provenMs < laterMs) return
    this.#provenMs = nowMs
    this.copiesChanged()
  }

  /** `copiesWanted` is the vault's setting. */
  async ofSnapshot(commitSequence: number, copiesWanted: number): Promise<Durability> {
    const holders = this.#current()
    const known = this.#cache.get(commitSequence)
    if (known?.copiesWanted === copiesWanted) return this.#asOfNow(known)
    // One that was removed for good meanwhile has nothing any more.
    const set = await this.#catalogue.read((tx) => tx.snapshots.packs(commitSequence))
    const durability = this.#judge(await holders.of(set ?? new Uint8Array()), copiesWanted)
    // Others get their turn: a thousand snapshots with all packs of a large cluster take about a second.
    await this.#clock.yield()
    if (holders === this.#current() && this.#cache.size < cachedMax) this.#cache.set(commitSequence, durability)
    return this.#asOfNow(durability)
  }

  #current(): PackHolders {
    const { state } = this
    if (state !== this.#cachedFor) {
      this.#cachedFor = state
      this.#cache.clear()
      this.#holders = new PackHolders(this.#catalogue, this.#clock, this.#members.counted())
    }
    return this.#holders
  }

  #judge({ groups, provenAtMs }: HolderTally, copiesWanted: number): Durability {
    const packs = groups.reduce((sum, group) => sum + group.packs, 0)
    const nodes = new Map<number, NodeRef>()
    let copies = Infinity
    let failureDomains = Infinity
    let packsDegraded = 0
    let packsUnavailable = 0
    for (const group of groups) {
      const domains = new Set<string>()
      for (const row of group.nodes) {
        const node = this.#members.byRow(row)?.ref
        if (node === undefined) continue
        nodes.set(row, node)
        domains.add(domainOf(node))
      }
      copies = Math.min(copies, group.nodes.length)
      failureDomains = Math.min(failureDomains, domains.size)
      if (group.nodes.length < copiesWanted) packsDegraded += group.packs
      if (group.nodes.length === 0) packsUnavailable += group.packs
    }
    return {
      copies: packs === 0 ? 0 : copies,
      copiesWanted,
      failureDomains: packs === 0 ? 0 : failureDomains,
      ...{ packs, packsDegraded, packsUnavailable },
      provenAtMs: provenAtMs === Infinity ? 0 : provenAtMs,
      repair: 'none',
      nodes: [...nodes.values()],
    }
  }

  /** A node may have moved to another address since, and repair may have begun. */
  #asOfNow(known: Durability): Durability {
    const nodes = known.nodes.map((node) => this.#members.find(node.nodeId)?.ref ?? node)
    return { ...known, nodes, repair: this.#repairOf(known) }
  }

  /** What has no copy at all waits for a node to come back; what has one can be repaired. */
  #repairOf({ packsDegraded, packsUnavailable }: Durability): RepairActivity {
    if (packsDegraded === 0) return 'none'
    const activity = this.#repair.activity()
    return activity === 'running' && packsDegraded === packsUnavailable ? 'waiting' : activity
  }
}
