import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { checkpointGraceMs } from '../core/limits.ts'

/**
 * Between a caller who asks a run to stop and the run that ends: as long as it `holds`, it is only `asked`, and has
 * some seconds to save what it has; otherwise, and after that, `signal` ends everything at once.
 */
export class GracefulStop {
  readonly #clock: Clock
  readonly #outer: AbortSignal | undefined
  readonly #hard = new AbortController()
  readonly #over = new AbortController()
  readonly #onAsked = (): void => this.#asked()
  #holding = false

  constructor(clock: Clock, outer: AbortSignal | undefined) {
    this.#clock = clock
    this.#outer = outer
    outer?.addEventListener('abort', this.#onAsked, { once: true })
    if (outer?.aborted === true) this.#end()
  }

  /** Aborted when the run must end at once. */
  get signal(): AbortSignal {
    return this.#hard.signal
  }

  get asked(): boolean {
    return this.#outer?.aborted === true
  }

  /** From now on there is something to be saved. */
  hold(): void {
    this.#holding = true
  }

  /** There is nothing to be saved any more. */
  release(): void {
    this.#holding = false
    if (this.asked) this.#end()
  }

  /** @throws TwofoldError `cancelled`, or the one that the caller gave as the reason, once a stop was asked for. */
  throwIfAsked(): void {
    if (!this.asked) return
    const reason: unknown = this.#outer?.reason
    throw reason instanceof TwofoldError ? reason : new TwofoldError('cancelled', 'it was cancelled', { cause: reason })
  }

  close(): void {
    this.#outer?.removeEventListener('abort', this.#onAsked)
    this.#over.abort(new TwofoldError('cancelled', 'the run is over'))
  }

  #asked(): void {
    if (!this.#holding) return this.#end()
    const end = (): void => this.#end()
    // When the run ends first there is nothing left to do.
    void this.#clock.sleep(checkpointGraceMs, this.#over.signal).then(end, () => undefined)
  }

  #end(): void {
    this.#hard.abort(this.#outer?.reason)
  }
}
