import { linkedController } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'

/**
 * Aborts its signal when nothing moved for `idleMs` milliseconds. One timer per period watches however many events
 * there are.
 */
export class StallGuard {
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #linked: ReturnType<typeof linkedController>
  #lastMs: number
  #stalled: TwofoldError | undefined

  constructor(clock: Clock, idleMs: number, parent: AbortSignal | undefined) {
    this.#clock = clock
    this.#idleMs = idleMs
    this.#linked = linkedController(parent)
    this.#lastMs = clock.monotonicMs()
    void this.#watch()
  }

  get signal(): AbortSignal {
    return this.#linked.controller.signal
  }

  /** Why the signal was aborted, when it was this guard who did it. */
  get stalled(): TwofoldError | undefined {
    return this.#stalled
  }

  /** Something moved. */
  moved(): void {
    this.#lastMs = this.#clock.monotonicMs()
  }

  /** Ends the watch. The signal is aborted too, so that whatever still listens stops. */
  release(): void {
    this.#linked.release()
    this.#linked.controller.abort(new TwofoldError('cancelled', 'the read is over'))
  }

  async #watch(): Promise<void> {
    try {
      for (;;) {
        const left = this.#lastMs + this.#idleMs - this.#clock.monotonicMs()
        if (left <= 0) break
        await this.#clock.sleep(left, this.signal)
      }
    } catch {
      // Only an abort ends a sleep early: the read is over or its caller gave up, and there is nothing left to watch.
      return
    }
    this.#stalled = new TwofoldError('deadline-exceeded', `no data for ${this.#idleMs / 1000} seconds`)
    this.#linked.controller.abort(this.#stalled)
  }
}
