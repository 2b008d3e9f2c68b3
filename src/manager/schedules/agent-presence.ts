import type { Clock } from '../../core/clock.ts'
import type { RunningRun } from '../../core/agents.ts'
import { agentAwayAfterMs } from '../../core/schedule-limits.ts'
import type { AgentRow } from '../catalogue-schedules.ts'

interface Presence {
  readonly row: AgentRow
  /** Monotonic. Until it is heard of, an agent counts as heard of at the manager's start. */
  readonly heardAtMs: number
  /** By the manager's wall clock; 0 for not since its start. */
  readonly seenAtMs: number
  readonly clockAheadMs: number
  readonly running: readonly RunningRun[]
  readonly left: boolean
}

/** What was heard of an agent. */
export interface Heard {
  readonly row: AgentRow
  readonly clockAheadMs: number
  readonly running: readonly RunningRun[]
}

/** Who is there: what of agents need not survive a restart of the manager. */
export class AgentPresence {
  readonly #clock: Clock
  readonly #agents = new Map<string, Presence>()

  constructor(clock: Clock, agents: readonly AgentRow[]) {
    this.#clock = clock
    const heardAtMs = clock.monotonicMs()
    const before = { heardAtMs, seenAtMs: 0, clockAheadMs: 0, running: [], left: false }
    for (const row of agents) this.#agents.set(row.name, { row, ...before })
  }

  heard(heard: Heard, seenAtMs: number): void {
    const heardAtMs = this.#clock.monotonicMs()
    this.#agents.set(heard.row.name, { ...heard, heardAtMs, seenAtMs, left: false })
  }

  /** It stops, and says so. */
  left(name: string): void {
    const known = this.#agents.get(name)
    if (known !== undefined) this.#agents.set(name, { ...known, left: true, running: [] })
  }

  /** It is no agent any more. */
  forget(name: string): void {
    this.#agents.delete(name)
  }

  get(name: string): Presence | undefined {
    return this.#agents.get(name)
  }

  isConnected(name: string): boolean {
    const known = this.#agents.get(name)
    return known !== undefined && known.seenAtMs > 0 && this.goneInMs(name) > 0
  }

  /** How long it must be silent yet to count as away, in milliseconds; 0 when it is. */
  goneInMs(name: string): number {
    const known = this.#agents.get(name)
    if (known === undefined || known.left) return 0
    return Math.max(0, Math.ceil(known.heardAtMs + agentAwayAfterMs - this.#clock.monotonicMs()))
  }

  /** What a run has looked at so far, by what its agent said last. */
  progress(agent: string, number: number): RunningRun | undefined {
    return this.#agents.get(agent)?.running.find((run) => run.number === number)
  }

  connected(): AgentRow[] {
    return [...this.#agents.values()].flatMap(({ row }) => (this.isConnected(row.name) ? [row] : []))
  }
}
