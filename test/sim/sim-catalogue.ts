import { TwofoldError } from '../../src/core/errors.ts'
import type { Random } from '../../src/core/random.ts'
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
}

/**
 * A catalogue as one life of a manager reaches it: transactions take time, their answers get lost, and when the manager
 * dies in between it never hears of them. What was committed stays.
 */
export function linkedCatalogue({ catalogue, process, scheduler, random, lostShare }: CatalogueLink): Catalogue {
  const linked = <T>(begin: () => Promise<T>, mostMs: number): Promise<T> =>
    process.alive(
      (async () => {
        await process.alive(scheduler.delay(random.fraction() * mostMs))
        const lost = lostShare() > 0 && random.fraction() < lostShare()
        if (lost && random.fraction() < 0.5) throw lostAnswer()
        const result = await begin()
        await scheduler.delay(random.fraction() * mostMs)
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
