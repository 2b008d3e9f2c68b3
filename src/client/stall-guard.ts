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
    void this.#run()
  }

  get signal(): AbortSignal {
    return this.#linked.controller.signal
  }

  /** Why the signal was aborted, when it was this guard who did it. */
  get stalled(): TwofoldError | undefined {
    return this.#stalled
  }

  /**
   * The items of `source`, each of which counts as movement.
   * @throws the signal's reason as soon as it is aborted, whether or not the source takes notice.
   */
  async *watch<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    const { signal } = this
    const iterator = source[Symbol.asyncIterator]()
    let over = false
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    // When nobody waits for it any more, the abort is no news.
    aborted.catch(() => undefined)
    try {
      for (;;) {
        signal.throwIfAborted()
        const next = await Promise.race([iterator.next(), aborted])
        this.#lastMs = this.#clock.monotonicMs()
        if (next.done === true) {
          over = true
          return
        }
        yield next.value
      }
    } finally {
      // Not awaited: a source that does not move would only end when it does.
      if (!over) iterator.return?.()?.catch(() => undefined)
    }
  }

  /** Ends the watch. The signal is aborted too, so that whatever still listens stops. */
  release(): void {
    this.#linked.release()
    this.#linked.controller.abort(new TwofoldError('cancelled', 'the read is over'))
  }

  async #run(): Promise<void> {
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
