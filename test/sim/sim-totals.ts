import type { Profile } from './profile.ts'
import type { SeedResult } from './run-seed.ts'

/** What of a seed's result is summed up; it survives JSON. */
export interface SeedSummary {
  readonly seed: number
  readonly events: number
  readonly virtualMs: number
  /** Processor time that it took, in milliseconds. */
  readonly cpuMs: number
  readonly counts: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  /** What went wrong, in words; undefined for nothing. */
  readonly problem?: string
  /** Of the failing case, or of a smaller one that fails in the same way. */
  readonly smaller?: Profile
}

export function summaryOf(result: SeedResult, cpuMs: number): SeedSummary {
  const { seed, events, virtualMs, counts, faults } = result
  return { seed, events, virtualMs, cpuMs, counts: { ...counts }, faults: { ...faults } }
}

/** What many seeds did, summed up. */
export class SimTotals {
  readonly failing: number[] = []
  readonly #startedMs = performance.now()
  readonly #counts = new Map<string, number>()
  readonly #faults = new Map<string, number>()
  #seeds = 0
  #virtualMs = 0
  #events = 0
  #cpuMs = 0

  get seeds(): number {
    return this.#seeds
  }

  add({ seed, virtualMs, events, cpuMs, problem, counts, faults }: SeedSummary): void {
    this.#seeds += 1
    this.#virtualMs += virtualMs
    this.#events += events
    this.#cpuMs += cpuMs
    if (problem !== undefined) this.failing.push(seed)
    addAll(this.#counts, counts)
    addAll(this.#faults, faults)
  }

  lines(): string[] {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const hours = this.#virtualMs / 3_600_000
    const { failing } = this
    const each = this.#seeds === 0 ? 0 : this.#cpuMs / 1000 / this.#seeds
    return [
      `${this.#seeds} seeds, ${failing.length} failed; ${hours.toFixed(2)} virtual hours in ${seconds.toFixed(0)} s, ` +
        `${each.toFixed(2)} s of processor time for each`,
      `did: events ${this.#events}, ${listed(this.#counts)}`,
      `struck by: ${listed(this.#faults)}`,
      ...(failing.length === 0 ? [] : [`failing seeds: ${failing.toSorted((a, b) => a - b).join(' ')}`]),
    ]
  }
}

function addAll(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count)
}

function listed(sums: ReadonlyMap<string, number>): string {
  return [...sums].map(([name, count]) => `${name} ${count}`).join(', ')
}
