import type { Clock } from './clock.ts'

/** Bounds how fast something goes on. Whoever asks first is served first; what was not used is not saved up. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  /** When everything that was asked for so far may have happened. */
  #paidUntilMs: number

  /** @param bytesPerSecond 0 means as fast as it goes */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerSecond / 1000
    this.#paidUntilMs = clock.monotonicMs()
  }

  /** Waits until `bytes` more may follow what was asked for before. @throws the signal's reason */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#bytesPerMs === 0) return
    const nowMs = this.#clock.monotonicMs()
    const startMs = Math.max(nowMs, this.#paidUntilMs)
    this.#paidUntilMs = startMs + bytes / this.#bytesPerMs
    if (startMs > nowMs) await this.#clock.sleep(startMs - nowMs, signal)
  }
}
