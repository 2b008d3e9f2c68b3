import type { CatalogueReader } from './catalogue.ts'
import type { CopyRow } from './catalogue-rows.ts'
import type { Members } from './members.ts'

/**
 * Which packs are committed with enough copies, remembered as a bit for each that is: counting the copies of thousands
 * of packs takes a third of the time of looking their chunks up. A pack can only lose copies when some are forgotten,
 * or be condemned, of which the catalogue tells by another version of the copies, or when a node ceases to count.
 */
export class SoundPacks {
  readonly #members: Members
  #rememberedFor = ''
  #bits = new Uint8Array(0)

  constructor(members: Members) {
    this.#members = members
  }

  /**
   * Those of `packs` that are committed, not condemned, and have at least `minCopies` copies on nodes that count. Only
   * for transactions that read: what a write sees may never come to be.
   */
  async among(tx: CatalogueReader, packs: readonly number[], minCopies: number): Promise<Set<number>> {
    const counted = this.#members.counted()
    const state = `${await tx.copies.version()} ${minCopies} ${counted.join(',')}`
    if (state !== this.#rememberedFor) this.#bits = new Uint8Array(0)
    this.#rememberedFor = state
    const unseen = packs.filter((pack) => !this.#has(pack))
    const doomed = new Set((await tx.packs.notCommitted(unseen)).map((pack) => pack.id))
    const unknown = unseen.filter((pack) => !doomed.has(pack))
    const nodes = new Set(counted)
    const copies = await tx.copies.of(unknown)
    for (const [index, pack] of unknown.entries()) if (countOf(copies[index], nodes) >= minCopies) this.#add(pack)
    return new Set(packs.filter((pack) => this.#has(pack)))
  }

  #has(pack: number): boolean {
    return ((this.#bits[pack >> 3] ?? 0) & (1 << (pack & 7))) !== 0
  }

  #add(pack: number): void {
    const at = pack >> 3
    if (at >= this.#bits.length) {
      const longer = new Uint8Array(2 * at + 1024)
      longer.set(this.#bits)
      this.#bits = longer
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (pack & 7))
  }
}

function countOf(copies: readonly CopyRow[] | undefined, counted: ReadonlySet<number>): number {
  return (copies ?? []).filter((copy) => counted.has(copy.node)).length
}
