import type { Clock } from '../core/clock.ts'

/**
 * Notices when the other side of a stream does nothing for too long. Only the time between `waiting` and `moved`
 * counts: while this side is busy, the other one cannot be late. One timer for a stream, whatever its messages.
 */
export class IdleWatch {
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #stopped = new AbortController()
  #waitingSince: number | undefined

  constructor(options: { clock: Clock; idleMs: number; onIdle: () => void }) {
    this.#clock = options.clock
    this.#idleMs = options.idleMs
    this.#run(options.onIdle).catch(() => {
      // The sleep was broken off by `stop`.
    })
  }

  /** From now on it is the other side's turn. */
  waiting(): void {
    this.#waitingSince = this.#clock.monotonicMs()
  }

  /** The other side did something. */
  moved(): void {
    this.#waitingSince = undefined
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #run(onIdle: () => void): Promise<void> {
    const { signal } = this.#stopped
    let leftMs = this.#idleMs
    while (leftMs > 0) {
      await this.#clock.sleep(leftMs, signal)
      const idleMs = this.#waitingSince === undefined ? 0 : this.#clock.monotonicMs() - this.#waitingSince
      leftMs = this.#idleMs - idleMs
    }
    onIdle()
  }
}
