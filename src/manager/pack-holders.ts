import type { Clock } from '../core/clock.ts'
import { catalogueSliceRows } from '../core/limits.ts'
import type { Catalogue } from './catalogue.ts'
import type { PackCopyRow } from './catalogue-rows.ts'

/** What the copies of some packs have in common: which nodes hold how many of them. */
export interface HolderTally {
  /** How many packs have exactly these nodes, by rows. */
  readonly groups: readonly { readonly nodes: readonly number[]; readonly packs: number }[]
  /** When the least recently proven of the copies was written or read; Infinity when there are none. */
  readonly provenAtMs: number
}

const notSeen = 0
const noCopies = 1

/**
 * Which nodes hold each pack, in 10 bytes of memory for a pack, so that the state of a thousand snapshots of hundreds
 * of thousands of packs is a matter of going through bytes. Packs are read from the catalogue in slices of
 * `catalogueSliceRows` when they are first asked for. One table is for one set of nodes that count, and until copies of
 * committed packs come or go: packs that are committed later are read when they are first asked for.
 */
export class PackHolders {
  readonly #catalogue: Catalogue
  readonly #clock: Clock
  readonly #counted: ReadonlySet<number>
  /** Sets of nodes, by number. There are few: at most one for each way to choose nodes. */
  readonly #sets: (readonly number[])[] = [[], []]
  readonly #setNumbers = new Map<string, number>([['', noCopies]])
  #setOf = new Uint16Array(0)
  #provenAtMs = new Float64Array(0)
  readonly #loading = new Map<number, Promise<void>>()

  constructor(catalogue: Catalogue, clock: Clock, counted: readonly number[]) {
    this.#catalogue = catalogue
    this.#clock = clock
    this.#counted = new Set(counted)
  }

  /** Of committed packs, by their rows, in ascending order. */
  async of(packs: readonly number[]): Promise<HolderTally> {
    await this.#see(packs)
    const counts = new Map<number, number>()
    let provenAtMs = Infinity
    let last = notSeen
    let run = 0
    for (const pack of packs) {
      const number = this.#setOf[pack] ?? noCopies
      if (number !== last) {
        if (run > 0) counts.set(last, (counts.get(last) ?? 0) + run)
        last = number
        run = 0
      }
      run += 1
      const proven = this.#provenAtMs[pack] ?? Infinity
      if (proven < provenAtMs) provenAtMs = proven
    }
    if (run > 0) counts.set(last, (counts.get(last) ?? 0) + run)
    return {
      groups: [...counts].map(([number, count]) => ({ nodes: this.#sets[number] ?? [], packs: count })),
      provenAtMs,
    }
  }

  /** Reads the slices of those that were not seen yet. */
  async #see(packs: readonly number[]): Promise<void> {
    this.#grow(packs.at(-1) ?? 0)
    const slices = new Set<number>()
    const unseen = packs.filter((pack) => this.#setOf[pack] === notSeen)
    for (const pack of unseen) slices.add(Math.floor((pack - 1) / catalogueSliceRows))
    for (const slice of slices) await this.#load(slice)
    // A committed pack that has no copy in its slice has none at all.
    for (const pack of unseen) if (this.#setOf[pack] === notSeen) this.#set(pack, noCopies, Infinity)
  }

  #load(slice: number): Promise<void> {
    const known = this.#loading.get(slice)
    if (known !== undefined) return known
    const range = { after: slice * catalogueSliceRows, upTo: (slice + 1) * catalogueSliceRows }
    const loading = this.#catalogue
      .read((tx) => tx.copies.inRange(range))
      .then((rows) => this.#take(rows))
      .then(() => this.#clock.yield())
      .finally(() => this.#loading.delete(slice))
    this.#loading.set(slice, loading)
    return loading
  }

  #take(rows: readonly PackCopyRow[]): void {
    for (let at = 0; at < rows.length;) {
      const { pack } = rows[at] as PackCopyRow
      const nodes: number[] = []
      let provenAtMs = Infinity
      for (; rows[at]?.pack === pack; at++) {
        const copy = rows[at] as PackCopyRow
        if (!this.#counted.has(copy.node)) continue
        nodes.push(copy.node)
        provenAtMs = Math.min(provenAtMs, copy.provenAtMs)
      }
      this.#set(pack, this.#numberOf(nodes), provenAtMs)
    }
  }

  #numberOf(nodes: readonly number[]): number {
    const sorted = nodes.toSorted((a, b) => a - b)
    const key = sorted.join(',')
    const known = this.#setNumbers.get(key)
    if (known !== undefined) return known
    const number = this.#sets.push(sorted) - 1
    this.#setNumbers.set(key, number)
    return number
  }

  #set(pack: number, number: number, provenAtMs: number): void {
    this.#grow(pack)
    this.#setOf[pack] = number
    this.#provenAtMs[pack] = provenAtMs
  }

  #grow(pack: number): void {
    if (pack < this.#setOf.length) return
    const length = Math.ceil((pack + 1) / catalogueSliceRows) * catalogueSliceRows * 2
    const sets = new Uint16Array(length)
    sets.set(this.#setOf)
    this.#setOf = sets
    const proven = new Float64Array(length).fill(Infinity)
    proven.set(this.#provenAtMs)
    this.#provenAtMs = proven
  }
}
