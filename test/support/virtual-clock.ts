import type { Clock } from '../../src/core/clock.ts'

interface Sleeper {
  readonly atMs: number
  wake: () => void
}

/** Time that passes only when a test says so. The wall clock can be set apart from the monotonic one. */
export class VirtualClock implements Clock {
  #wallMs = 1_700_000_000_000
  #monotonicMs = 1000
  #sleepers: Sleeper[] = []

  nowMs(): number {
    return this.#wallMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  setWall(ms: number): void {
    this.#wallMs = ms
  }

  /** Lets time pass and wakes whoever slept until then. */
  advance(ms: number): void {
    this.#wallMs += ms
    this.#monotonicMs += ms
    const due = this.#sleepers.filter((sleeper) => sleeper.atMs <= this.#monotonicMs)
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper))
    for (const sleeper of due) sleeper.wake()
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

  async yield(): Promise<void> {
    await Promise.resolve()
  }
}
