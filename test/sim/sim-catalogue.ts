import { DatabaseSync } from 'node:sqlite'
import { TwofoldError } from '../../src/core/errors.ts'
import type { Random } from '../../src/core/random.ts'
import { copySqliteCatalogue, openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimScheduler } from './sim-scheduler.ts'

export interface CatalogueLink {
  readonly catalogue: Catalogue
  readonly process: SimProcess
  readonly scheduler: SimScheduler
  readonly random: Random
  /** Share of transactions whose answer is lost, whatever became of them. */
  readonly lostShare: () => number
  /** Share of transactions that take up to a second, before or after they happen. */
  readonly slowShare: () => number
}

/**
 * A catalogue as one life of a manager reaches it: transactions take time, their answers get lost, and when the manager
 * dies in between it never hears of them. What was committed stays.
 */
export function linkedCatalogue(link: CatalogueLink): Catalogue {
  const { catalogue, process, scheduler, random, lostShare, slowShare } = link
  const delay = (mostMs: number): Promise<void> => {
    const slow = slowShare() > 0 && random.fraction() < slowShare()
    return scheduler.delay(random.fraction() * (slow ? 1000 : mostMs))
  }
  const linked = <T>(begin: () => Promise<T>, mostMs: number): Promise<T> =>
    process.alive(
      (async () => {
        await process.alive(delay(mostMs))
        const lost = lostShare() > 0 && random.fraction() < lostShare()
        if (lost && random.fraction() < 0.5) throw lostAnswer()
        const result = await begin()
        await delay(mostMs)
        if (lost) throw lostAnswer()
        return result
      })(),
    )
  return {
    read: (work) => linked(() => catalogue.read(work), 0.5),
    write: (work) => linked(() => catalogue.write(work), 4),
    upkeep: () => linked(() => catalogue.upkeep(), 1),
    healthy: () => catalogue.healthy(),
    close: () => Promise.resolve(),
  }
}

function lostAnswer(): TwofoldError {
  return new TwofoldError('unavailable', 'the answer of the catalogue was lost')
}

/** A catalogue as it was at one moment, in memory. */
export interface CatalogueImage {
  readonly path: string
  forget(): void
}

let databases = 0

/** A name for a database in memory that lives as long as somebody has it open. */
function freePath(): string {
  return `file:/simulated-${++databases}?vfs=memdb`
}

/** The catalogues of a world: the one in use, and what was kept of it. */
export class SimCatalogues {
  #path = freePath()
  #now = openSqliteCatalogue(this.#path)
  readonly #former: Catalogue[] = []
  readonly #images = new Set<CatalogueImage>()

  get now(): Catalogue {
    return this.#now
  }

  /** Keeps what is in it now. Nobody may be in the middle of a transaction. */
  image(): CatalogueImage {
    const path = freePath()
    const hold = new DatabaseSync(path)
    copySqliteCatalogue(this.#path, path)
    const image = {
      path,
      forget: () => {
        if (this.#images.delete(image)) hold.close()
      },
    }
    this.#images.add(image)
    return image
  }

  /** An older one takes the place of the catalogue. */
  restore(image: CatalogueImage): void {
    this.#former.push(this.#now)
    this.#path = image.path
    this.#now = openSqliteCatalogue(image.path)
    for (const each of [...this.#images]) each.forget()
  }

  /** An empty one, to be made the catalogue or closed. */
  fresh(): { readonly catalogue: Catalogue; use(): void } {
    const path = freePath()
    const catalogue = openSqliteCatalogue(path)
    const use = (): void => {
      this.#former.push(this.#now)
      this.#path = path
      this.#now = catalogue
    }
    return { catalogue, use }
  }

  async close(): Promise<void> {
    for (const image of [...this.#images]) image.forget()
    for (const each of [...this.#former, this.#now]) await each.close()
  }
}
