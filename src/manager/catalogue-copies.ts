import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import type { Catalogue } from './catalogue.ts'

/** Copies of the catalogue that nodes keep, so that a recovery has its history and is faster. Nothing rests on them. */
export class CatalogueCopies {
  readonly #catalogue: Catalogue
  readonly #clock: Clock

  constructor(catalogue: Catalogue, clock: Clock) {
    this.#catalogue = catalogue
    this.#clock = clock
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    await this.#clock.yield()
    throw new TwofoldError('not-found', `there is no copy ${name} of the catalogue ${this.#catalogue.healthy() ? '' : ''}`)
  }
}
