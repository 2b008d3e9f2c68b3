import type { Clock } from '../core/clock.ts'
import { catalogueSliceRows } from '../core/limits.ts'
import type { Durability, NodeRef } from '../core/model.ts'
import type { Catalogue } from './catalogue.ts'
import type { CopyRow } from './catalogue-rows.ts'
import type { Members } from './members.ts'
import { decodePackSet } from './pack-set.ts'

/** The copies of some packs, summed up. */
interface Tally {
  copies: number
  failureDomains: number
  packs: number
  degraded: number
  unavailable: number
  provenAtMs: number
  readonly nodes: Map<number, NodeRef>
}

const cachedMax = 2000

/**
 * How safe snapshots are now. A snapshot's packs never change, so an answer stays true until copies of committed packs
 * come or go, or a node begins or ceases to count; `copiesChanged` says the former.
 */
export class DurabilityReader {
  readonly #catalogue: Catalogue
  readonly #clock: Clock
  readonly #members: Members
  readonly #cache = new Map<number, Durability>()
  #cachedFor = ''
  #version = 0

  constructor(catalogue: Catalogue, clock: Clock, members: Members) {
    this.#catalogue = catalogue
    this.#clock = clock
    this.#members = members
  }

  copiesChanged(): void {
    this.#version += 1
  }

  /** `copiesWanted` is the vault's setting. */
  async ofSnapshot(commitSequence: number, copiesWanted: number): Promise<Durability> {
    const counted = this.#members.counted()
    const key = `${this.#version} ${copiesWanted} ${counted.join(',')}`
    if (key !== this.#cachedFor) this.#cache.clear()
    this.#cachedFor = key
    const known = this.#cache.get(commitSequence)
    if (known !== undefined) return this.#withPresentNodes(known)
    // One that was removed for good meanwhile has nothing any more.
    const set = await this.#catalogue.read((tx) => tx.snapshots.packs(commitSequence))
    const packs = decodePackSet(set ?? new Uint8Array())
    const durability = await this.ofPacks(packs, copiesWanted)
    if (key === this.#cachedFor && this.#cache.size < cachedMax) this.#cache.set(commitSequence, durability)
    return durability
  }

  async ofPacks(packs: readonly number[], copiesWanted: number): Promise<Durability> {
    const counted = new Set(this.#members.counted())
    const tally = newTally()
    for (let start = 0; start < packs.length; start += catalogueSliceRows) {
      const slice = packs.slice(start, start + catalogueSliceRows)
      const copies = await this.#catalogue.read((tx) => tx.copies.of(slice))
      for (const held of copies)
        this.#add(
          tally,
          held.filter((copy) => counted.has(copy.node)),
          copiesWanted,
        )
      await this.#clock.yield()
    }
    return {
      copies: tally.packs === 0 ? 0 : tally.copies,
      copiesWanted,
      failureDomains: tally.packs === 0 ? 0 : tally.failureDomains,
      packs: tally.packs,
      packsDegraded: tally.degraded,
      packsUnavailable: tally.unavailable,
      provenAtMs: tally.provenAtMs === Infinity ? 0 : tally.provenAtMs,
      nodes: [...tally.nodes.values()],
    }
  }

  #add(tally: Tally, held: readonly CopyRow[], copiesWanted: number): void {
    const domains = new Set<string>()
    for (const copy of held) {
      const node = this.#members.byRow(copy.node)?.ref
      if (node === undefined) continue
      tally.nodes.set(copy.node, node)
      domains.add(node.failureDomain === '' ? node.nodeId : `domain ${node.failureDomain}`)
      tally.provenAtMs = Math.min(tally.provenAtMs, copy.provenAtMs)
    }
    tally.packs += 1
    tally.copies = Math.min(tally.copies, held.length)
    tally.failureDomains = Math.min(tally.failureDomains, domains.size)
    if (held.length < copiesWanted) tally.degraded += 1
    if (held.length === 0) tally.unavailable += 1
  }

  /** A node may have moved to another address since. */
  #withPresentNodes(known: Durability): Durability {
    return { ...known, nodes: known.nodes.map((node) => this.#members.find(node.nodeId)?.ref ?? node) }
  }
}

function newTally(): Tally {
  return {
    copies: Infinity,
    failureDomains: Infinity,
    packs: 0,
    degraded: 0,
    unavailable: 0,
    provenAtMs: Infinity,
    nodes: new Map(),
  }
}
