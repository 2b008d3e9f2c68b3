import type { Clock } from '../core/clock.ts'

/**
 * The time that nodes judge tickets by, in milliseconds since the epoch. It starts at the wall clock and then follows
 * the monotonic one, so that a wall clock that is set back or forth while the manager runs changes nothing.
 */
export class ManagerTime {
  readonly #clock: Clock
  readonly #offsetMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#offsetMs = clock.nowMs() - clock.monotonicMs()
  }

  nowMs(): number {
    return Math.floor(this.#offsetMs + this.#clock.monotonicMs())
  }
}
