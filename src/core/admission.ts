import { linkedController } from './abort.ts'
import { ByteBudget } from './byte-budget.ts'
import type { Clock } from './clock.ts'
import { TwofoldError } from './errors.ts'

export interface AdmissionOptions {
  readonly clock: Clock
  /** What may be inside at once. */
  readonly bytes: number
  /** How long somebody waits for room before being refused, in milliseconds. */
  readonly waitMs: number
  /** Who comes when so many wait already is refused at once. */
  readonly waitersMax: number
  /** Who has no room, in the words of the refusal. */
  readonly who: string
}

/** What those who are refused wait at least, and how much longer for each who waits before them, in milliseconds. */
const retryFirstMs = 250
const retryEachMs = 10
const retryMostMs = 5000

/**
 * Lets work in as long as its bytes fit, in the order of arrival, and refuses who would have to wait too long: the
 * caller keeps its bytes until then, and is told when to come back. So it is bytes that are limited, not callers.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #budget: ByteBudget

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#budget = new ByteBudget(options.bytes)
  }

  get usedBytes(): number {
    return this.#budget.usedBytes
  }

  get waiting(): number {
    return this.#budget.waiting
  }

  /** Whether less than half of it is taken and nobody waits. */
  get quiet(): boolean {
    return this.#budget.waiting === 0 && this.#budget.usedBytes * 2 < this.#options.bytes
  }

  /**
   * @returns what to call when the work is over.
   * @throws `overloaded`, with the time after which to try again; the signal's reason when it is aborted.
   */
  async enter(bytes: number, signal?: AbortSignal): Promise<() => void> {
    if (!this.#budget.tryAcquire(bytes)) {
      if (this.waiting >= this.#options.waitersMax) throw this.#refusal()
      await this.#wait(bytes, signal)
    }
    let inside = true
    return () => {
      if (inside) this.#budget.release(bytes)
      inside = false
    }
  }

  async #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock, waitMs } = this.#options
    const { controller, release } = linkedController(signal)
    const over = new AbortController()
    const late = clock.sleep(waitMs, over.signal).then(
      () => controller.abort(this.#refusal()),
      () => undefined,
    )
    try {
      await this.#budget.acquire(bytes, controller.signal)
    } finally {
      release()
      over.abort()
      await late
    }
  }

  #refusal(): TwofoldError {
    const retryAfterMs = Math.min(retryMostMs, retryFirstMs + retryEachMs * this.waiting)
    return new TwofoldError('overloaded', `${this.#options.who} has no room just now; try again soon`, { retryAfterMs })
  }
}
