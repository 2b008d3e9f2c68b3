import type { SeedResult } from './run-seed.ts'

/** What many seeds did, summed up. */
export class SimTotals {
  failed = 0
  readonly #startedMs = performance.now()
  readonly #sums = new Map<string, number>()
  #seeds = 0
  #virtualMs = 0
  #events = 0

  add(result: SeedResult): void {
    this.#seeds += 1
    this.#virtualMs += result.virtualMs
    this.#events += result.events
    if (result.failure !== undefined) this.failed += 1
    for (const [name, count] of Object.entries({ ...result.counts, ...result.faults })) {
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + count)
    }
  }

  lines(): string[] {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const hours = this.#virtualMs / 3_600_000
    return [
      `${this.#seeds} seeds, ${this.failed} failed; ${hours.toFixed(2)} virtual hours in ${seconds.toFixed(0)} s`,
      [['events', this.#events] as const, ...this.#sums].map(([name, count]) => `${name} ${count}`).join(', '),
    ]
  }
}
