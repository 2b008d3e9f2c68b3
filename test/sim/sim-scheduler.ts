import { systemClock } from '../../src/system/clock.ts'

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

/**
 * Virtual time: a list of events, the earliest first and among equals the oldest. Between two events all promises that
 * can go on do, so nothing depends on how fast this machine is.
 */
export class SimScheduler {
  readonly #events: Event[] = []
  #order = 0
  #nowMs = 0

  get nowMs(): number {
    return this.#nowMs
  }

  /** Runs `run` in `delayMs`. @returns how to call it off. */
  after(delayMs: number, run: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + delayMs, order: this.#order++, run, cancelled: false }
    this.#insert(event)
    return () => {
      event.cancelled = true
    }
  }

  delay(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }

  /**
   * Lets time pass until `work` has settled.
   * @throws what `work` throws, and when nothing is left to happen, or `limitMs` of virtual time are over, before that.
   */
  async run<T>(work: Promise<T>, limitMs = 3_600_000): Promise<T> {
    const untilMs = this.#nowMs + limitMs
    let settled = false
    const mark = (): void => {
      settled = true
    }
    work.then(mark, mark)
    for (;;) {
      await systemClock.yield()
      if (settled) return work
      const event = this.#events.shift()
      if (event === undefined) throw new Error('the simulation stands still: everybody waits for somebody')
      if (event.cancelled) continue
      if (event.atMs > untilMs) throw new Error(`not done after ${limitMs} ms of virtual time`)
      this.#nowMs = event.atMs
      event.run()
    }
  }

  /** Binary insertion: most events are near the end of time, and there are few of them. */
  #insert(event: Event): void {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#events[middle]!.atMs <= event.atMs) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, event)
  }
}
