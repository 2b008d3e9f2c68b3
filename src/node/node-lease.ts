import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'

/**
 * Until when a node may write, and what time it is at the manager. Both go by the monotonic clock since the last
 * answer, so a wall clock that jumps changes nothing.
 */
export class NodeLease {
  readonly #clock: Clock
  #answer: { readonly atMs: number; readonly leaseMs: number; readonly managerTimeMs: number } | undefined
  #fenced = false
  /** The highest epoch seen; orders of a lower one are refused. */
  epoch = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Takes note of an answer of the manager.
   * @param sentAtMs when the request was sent, by the monotonic clock: the lease counts from there.
   */
  renew(sentAtMs: number, answer: { leaseMs: number; managerTimeMs: number; epoch: number }): void {
    if (answer.epoch < this.epoch) return
    this.epoch = answer.epoch
    this.#answer = { atMs: sentAtMs, leaseMs: answer.leaseMs, managerTimeMs: answer.managerTimeMs }
  }

  /** Another process serves this store: nothing may be written ever again. */
  fence(): void {
    this.#fenced = true
  }

  get fenced(): boolean {
    return this.#fenced
  }

  get held(): boolean {
    return !this.#fenced && this.#answer !== undefined && this.#sinceAnswerMs() < this.#answer.leaseMs
  }

  /** Whether the manager's time is known. */
  get knowsTime(): boolean {
    return this.#answer !== undefined
  }

  /** The manager's time in milliseconds, by its last answer. @throws `read-only` before the first one. */
  managerNowMs(): number {
    if (this.#answer === undefined) throw this.#lost()
    return Math.round(this.#answer.managerTimeMs + this.#sinceAnswerMs())
  }

  /** @throws `fenced` or `read-only` when this node may not write now. */
  require(): void {
    if (this.#fenced) throw new TwofoldError('fenced', "another process serves this node's store; this one must stop")
    if (!this.held) throw this.#lost()
  }

  #lost(): TwofoldError {
    return new TwofoldError('read-only', 'this node has not heard from its manager in time and takes no writes', {
      retryAfterMs: 1000,
    })
  }

  #sinceAnswerMs(): number {
    return this.#clock.monotonicMs() - (this.#answer?.atMs ?? 0)
  }
}
