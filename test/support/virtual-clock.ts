import type { Clock } from '../../src/core/clock.ts'
import { systemClock } from '../../src/system/clock.ts'

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

/** Time that passes only when a test says so. The wall clock can be set apart from the monotonic one. */
export class VirtualClock implements Clock {
  #wallMs = 1_700_000_000_000
  #monotonicMs = 0
  #sleepers: Sleeper[] = []

  nowMs(): number {
    return Math.floor(this.#wallMs)
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  /** How many wait for time to pass. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  /** How long the first of them still has to wait, in milliseconds; undefined when nobody does. */
  get untilNextMs(): number | undefined {
    if (this.#sleepers.length === 0) return undefined
    return Math.max(0, Math.min(...this.#sleepers.map(({ atMs }) => atMs)) - this.#monotonicMs)
  }

  setWall(ms: number): void {
    this.#wallMs = ms
  }

  /** Lets time pass and wakes whoever slept until then; their turn comes with the next `yield`. */
  advance(ms: number): void {
    this.#wallMs += ms
    this.#monotonicMs += ms
    const due = this.#sleepers.filter((sleeper) => sleeper.atMs <= this.#monotonicMs)
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper))
    for (const sleeper of due.sort((a, b) => a.atMs - b.atMs)) sleeper.wake()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason as Error)
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const sleeper: Sleeper = { atMs: this.#monotonicMs + ms, wake }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#sleepers.push(sleeper)
    })
  }

  yield(): Promise<void> {
    return systemClock.yield()
  }
}
