import { applyRetention } from './retention.ts'
import type { RetainedSnapshot, RetentionContext, RetentionPolicy } from './retention.ts'

export interface SimulatedStep {
  readonly timeMs: number
  /** Snapshots that are there after the policy was applied. */
  readonly kept: number
  readonly forgotten: number
  readonly oldestMs: number
}

export interface Simulation {
  readonly steps: readonly SimulatedStep[]
  /** What is there at the end, the newest first. */
  readonly kept: readonly { readonly timeMs: number; readonly reasons: readonly string[] }[]
}

export interface SimulationPlan {
  /** When the first simulated backup is made. */
  readonly fromMs: number
  readonly everyMs: number
  readonly count: number
  readonly timeZone: string
}

/** What a policy keeps as time goes on, with a backup every so often and the policy applied after each. */
export function simulateRetention(
  snapshots: readonly RetainedSnapshot[],
  policy: RetentionPolicy,
  plan: SimulationPlan,
): Simulation {
  const steps: SimulatedStep[] = []
  let present: readonly RetainedSnapshot[] = snapshots
  let kept: Simulation['kept'] = []
  for (let step = 0; step < plan.count; step++) {
    const timeMs = plan.fromMs + step * plan.everyMs
    const context: RetentionContext = { nowMs: timeMs, timeZone: plan.timeZone }
    const verdicts = applyRetention([...present, { timeMs, tags: [], pinned: false }], policy, context)
    const staying = verdicts.filter((verdict) => verdict.keep)
    present = staying.map((verdict) => verdict.snapshot).reverse()
    kept = staying.map(({ snapshot, reasons }) => ({ timeMs: snapshot.timeMs, reasons }))
    const forgotten = verdicts.length - staying.length
    steps.push({ timeMs, kept: staying.length, forgotten, oldestMs: present[0]?.timeMs ?? timeMs })
  }
  return { steps, kept }
}
