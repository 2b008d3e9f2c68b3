import type { Clock } from '../core/clock.ts'
import { catalogueSliceRows } from '../core/limits.ts'
import type { Catalogue, CopyCount } from './catalogue.ts'

/**
 * How many packs have how many copies, without a long walk: packs are counted in slices of `catalogueSliceRows`, and
 * others get their turn in between. A slice that can no longer change is counted once. It changes when packs in it are
 * committed; all of them do when a node begins or ceases to count, or when copies come or go.
 */
export class CopyCounts {
  readonly #catalogue: Catalogue
  readonly #clock: Clock
  /** Slices without open packs, by where they begin. */
  #settled = new Map<number, readonly CopyCount[]>()
  #settledFor = ''

  constructor(catalogue: Catalogue, clock: Clock) {
    this.#catalogue = catalogue
    this.#clock = clock
  }

  /** On the nodes in `counted`. The same vault and number of copies may come several times. */
  async of(counted: readonly number[]): Promise<CopyCount[]> {
    const { version, newest } = await this.#catalogue.read(async (tx) => ({
      version: `${await tx.copies.version()} ${await tx.copies.additions()}`,
      newest: await tx.packs.newestId(),
    }))
    const settled = this.#settledAt(`${version} ${counted.join(',')}`)
    const counts: CopyCount[] = []
    for (let after = 0; after < newest; after += catalogueSliceRows) {
      counts.push(...(settled.get(after) ?? (await this.#count(counted, { after, newest, settled }))))
    }
    return counts
  }

  #settledAt(version: string): Map<number, readonly CopyCount[]> {
    if (version !== this.#settledFor) this.#settled = new Map()
    this.#settledFor = version
    return this.#settled
  }

  async #count(
    counted: readonly number[],
    at: { after: number; newest: number; settled: Map<number, readonly CopyCount[]> },
  ): Promise<readonly CopyCount[]> {
    const range = { after: at.after, upTo: at.after + catalogueSliceRows }
    const { counts, open } = await this.#catalogue.read((tx) => tx.packs.countByCopies(counted, range))
    if (!open && range.upTo <= at.newest) at.settled.set(at.after, counts)
    await this.#clock.yield()
    return counts
  }
}
