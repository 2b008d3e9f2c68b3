import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
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

/** What was counted up to a byte of a set. */
interface Mark {
  readonly at: number
  /** The pack before it. */
  readonly pack: number
  readonly provenAtMs: number
  readonly counts: Uint32Array
}

interface Run {
  readonly counts: Uint32Array
  readonly provenAtMs: number
  /** Packs that were left out, because nothing is known of them yet. */
  readonly unseen: readonly number[]
  readonly marks: readonly Mark[]
}

const beginning: Mark = { at: 0, pack: 0, provenAtMs: Infinity, counts: new Uint32Array(0) }

/** Often enough that little is counted twice, seldom enough that marks cost nothing. */
const packsPerMark = 4096

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
  /** The set that was counted last. */
  #last: { readonly set: Uint8Array; readonly marks: readonly Mark[] } = { set: new Uint8Array(0), marks: [] }
  #provenAtMs = new Float64Array(0)

  constructor(catalogue: Catalogue, clock: Clock, counted: readonly number[]) {
    this.#catalogue = catalogue
    this.#clock = clock
    this.#counted = new Set(counted)
  }

  /** Of a snapshot's set of packs, which are committed. @throws TwofoldError `integrity` */
  async of(set: Uint8Array): Promise<HolderTally> {
    const from = this.#resume(set)
    let run = this.#count(set, from)
    if (run.unseen.length > 0) {
      await this.#see(run.unseen)
      run = this.#count(set, from)
    }
    this.#last = { set, marks: [...from.marks, ...run.marks] }
    const groups = this.#sets.map((nodes, number) => ({ nodes, packs: run.counts[number] ?? 0 }))
    return { groups: groups.filter((group) => group.packs > 0), provenAtMs: run.provenAtMs }
  }

  /**
   * Where to begin: snapshots that follow each other need mostly the same packs, the oldest ones first, so what was
   * counted for the one before is right up to the first byte in which the sets differ.
   */
  #resume(set: Uint8Array): { readonly mark: Mark; readonly marks: readonly Mark[] } {
    const same = commonBytes(this.#last.set, set)
    const marks = this.#last.marks.filter((mark) => mark.at <= same)
    return { mark: marks.at(-1) ?? beginning, marks }
  }

  /** This loop over bytes is what a list of snapshots costs. */
  #count(set: Uint8Array, { mark }: { readonly mark: Mark }): Run {
    const setOf = this.#setOf
    const provenAt = this.#provenAtMs
    const counts = new Uint32Array(this.#sets.length)
    counts.set(mark.counts)
    const unseen: number[] = []
    const marks: Mark[] = []
    let { pack, provenAtMs } = mark
    let value = 0
    let scale = 1
    let untilMark = packsPerMark
    for (let at = mark.at; at < set.length; at++) {
      const byte = set[at] as number
      value += (byte & 127) * scale
      scale *= 128
      if (byte >= 128) continue
      pack += value
      value = 0
      scale = 1
      const number = pack < setOf.length ? (setOf[pack] as number) : notSeen
      if (number === notSeen) unseen.push(pack)
      else {
        counts[number] = (counts[number] as number) + 1
        const proven = provenAt[pack] as number
        if (proven < provenAtMs) provenAtMs = proven
      }
      if (--untilMark > 0) continue
      untilMark = packsPerMark
      marks.push({ at: at + 1, pack, provenAtMs, counts: counts.slice() })
    }
    if (scale !== 1) throw new TwofoldError('integrity', 'the catalogue has a broken set of packs')
    return { counts, provenAtMs, unseen, marks }
  }

  /** Reads the slices of packs that were not seen yet. */
  async #see(unseen: readonly number[]): Promise<void> {
    const slices = new Set(unseen.map((pack) => Math.floor((pack - 1) / catalogueSliceRows)))
    for (const slice of slices) await this.#load(slice)
    for (const pack of unseen) {
      this.#grow(pack)
      // A committed pack that has no copy in its slice has none at all.
      if (this.#setOf[pack] === notSeen) this.#set(pack, noCopies, Infinity)
    }
  }

  /** Two who ask at once may both read a slice: they find the same. */
  async #load(slice: number): Promise<void> {
    const range = { after: slice * catalogueSliceRows, upTo: (slice + 1) * catalogueSliceRows }
    this.#take(await this.#catalogue.read((tx) => tx.copies.inRange(range)))
    await this.#clock.yield()
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

/** How many bytes are the same at the beginning of both, rounded down to a block. */
function commonBytes(one: Uint8Array, other: Uint8Array): number {
  const [left, right] = [asBuffer(one), asBuffer(other)]
  const most = Math.min(left.length, right.length)
  let same = 0
  while (same + blockBytes <= most && left.compare(right, same, same + blockBytes, same, same + blockBytes) === 0) {
    same += blockBytes
  }
  return same
}

const blockBytes = 1024
