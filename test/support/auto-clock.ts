import type { Clock } from '../../src/core/clock.ts'
import { systemClock } from '../../src/system/clock.ts'

interface Sleeper {
  readonly atMs: number
  readonly order: number
  wake: () => void
}

/**
 * Virtual time for tests in one process: when nothing but sleepers is left to run, time jumps to the first of them.
 * `yieldsBeforeJump` says how often pending work gets its turn first.
 */
export class AutoClock implements Clock {
  readonly #startMs: number
  readonly #yieldsBeforeJump: number
  #elapsedMs = 0
  #order = 0
  #pumping = false
  #sleepers: Sleeper[] = []

  constructor(options: { startMs?: number; yieldsBeforeJump?: number } = {}) {
    this.#startMs = options.startMs ?? 1_700_000_000_000
    this.#yieldsBeforeJump = options.yieldsBeforeJump ?? 8
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  /** Lets time pass without waiting for anything. */
  advance(ms: number): void {
    this.#elapsedMs += ms
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason as Error)
      }
      const sleeper: Sleeper = {
        atMs: this.#elapsedMs + ms,
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#sleepers.push(sleeper)
      void this.#pump()
    })
  }

  async yield(): Promise<void> {
    await systemClock.yield()
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#sleepers.length > 0) {
      for (let turn = 0; turn < this.#yieldsBeforeJump; turn++) await systemClock.yield()
      this.#sleepers.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
      const first = this.#sleepers.shift()
      if (first === undefined) break
      this.#elapsedMs = Math.max(this.#elapsedMs, first.atMs)
      first.wake()
    }
    this.#pumping = false
  }
}
