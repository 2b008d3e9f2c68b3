import type { Clock } from '../../src/core/clock.ts'
import { systemClock } from '../../src/system/clock.ts'

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

/** Time that stands still until a test moves it. Other work of the process goes on in real time meanwhile. */
export class ManualClock implements Clock {
  #elapsedMs = 0
  readonly #sleepers = new Set<Sleeper>()

  nowMs(): number {
    return systemClock.nowMs() + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  get sleeping(): number {
    return this.#sleepers.size
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason as Error)
      }
      const sleeper = {
        atMs: this.#elapsedMs + ms,
        wake: (): void => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#sleepers.add(sleeper)
    })
  }

  yield(): Promise<void> {
    return systemClock.yield()
  }

  /** Moves time, and lets those that it wakes have their turn. */
  async advance(ms: number): Promise<void> {
    this.#elapsedMs += ms
    for (const sleeper of [...this.#sleepers]) if (sleeper.atMs <= this.#elapsedMs) sleeper.wake()
    await systemClock.yield()
  }
}
