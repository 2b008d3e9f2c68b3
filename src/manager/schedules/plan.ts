import { graceOf, jitterOf, nextTime, readTiming, spacing } from '../../core/schedule-timing.ts'
import type { TimingPlan } from '../../core/schedule-timing.ts'
import { retryDelaysMs, runsAtOnceMax } from '../../core/schedule-limits.ts'
import type { RunTrigger, ScheduleState } from '../../core/schedules.ts'
import type { RunRow, ScheduleRow } from '../catalogue-schedules.ts'

type Planned = Pick<ScheduleRow, 'scheduleId' | 'spec' | 'anchorMs'>

interface Jittered {
  readonly plan: TimingPlan
  readonly jitterMs: number
}

function planOf({ scheduleId, spec }: Planned, aboutMs: number): Jittered {
  const plan = readTiming(spec.timing)
  return { plan, jitterMs: jitterOf(scheduleId, spacing(plan, aboutMs)) }
}

/**
 * When a schedule runs next, jitter included, if everything up to `doneMs` counts as done: so however many times were
 * missed, they are caught up by one run. 0 when it never does.
 */
export function nextRunAt(schedule: Planned, doneMs: number): number {
  const { plan, jitterMs } = planOf(schedule, doneMs)
  const { anchorMs } = schedule
  // The first of a span's times is the beginning itself, without jitter.
  const after = plan.kind === 'every' && doneMs >= anchorMs ? Math.max(anchorMs, doneMs - jitterMs) : doneMs - jitterMs
  const next = nextTime(plan, after, anchorMs)
  return next === undefined ? 0 : next + jitterMs
}

/** Why a run that is due begins at `nowMs`. */
export function triggerOf(schedule: ScheduleRow, nowMs: number): RunTrigger {
  if (schedule.retrying) return 'retry'
  const after = nextRunAt(schedule, schedule.nextRunAtMs)
  return after > 0 && after <= nowMs ? 'missed' : 'due'
}

/** When to try again after so many failures, unless the next regular run comes first. 0 for not at all. */
export function retryAt(failures: number, nowMs: number): number {
  const delayMs = retryDelaysMs[failures - 1]
  return delayMs === undefined ? 0 : nowMs + delayMs
}

/** What the planner knows of a run that waits. */
export type Waiting = Pick<RunRow, 'number' | 'agent' | 'dueAtMs'>

/** An agent that is there. */
export interface Capacity {
  readonly runsMax: number
  /** How many of its runs go on. */
  readonly running: number
}

/**
 * Which of the runs that wait may begin: as many as go on at once in all, and at each agent. Agents take turns, the one
 * with the fewest runs first and then the one that waits longest, so that one with many keeps no other waiting.
 */
export function planStarts(
  waiting: readonly Waiting[],
  agents: ReadonlyMap<string, Capacity>,
  atOnceMax: number = runsAtOnceMax,
): Waiting[] {
  const byAgent = new Map<string, Waiting[]>()
  for (const run of waiting) {
    if (agents.has(run.agent)) byAgent.set(run.agent, [...(byAgent.get(run.agent) ?? []), run])
  }
  const queues = [...byAgent].map(([agent, runs]) => ({
    running: agents.get(agent)?.running ?? 0,
    runsMax: agents.get(agent)?.runsMax ?? 0,
    runs: runs.sort((a, b) => a.dueAtMs - b.dueAtMs || a.number - b.number),
  }))
  let free = atOnceMax - [...agents.values()].reduce((sum, { running }) => sum + running, 0)
  const begun: Waiting[] = []
  for (; free > 0; free -= 1) {
    const ready = queues.filter(({ running, runsMax, runs }) => runs.length > 0 && running < runsMax)
    const [next] = ready.sort((a, b) => a.running - b.running || dueOf(a.runs) - dueOf(b.runs))
    const run = next?.runs.shift()
    if (next === undefined || run === undefined) break
    next.running += 1
    begun.push(run)
  }
  return begun
}

const dueOf = (runs: readonly Waiting[]): number => runs[0]?.dueAtMs ?? Infinity

/** What is known around a schedule. */
export interface Surroundings {
  readonly nowMs: number
  readonly agent: { readonly known: boolean; readonly connected: boolean }
  readonly activeRun: RunRow | undefined
  readonly lastRun: RunRow | undefined
}

export interface Judgement {
  readonly state: ScheduleState
  readonly overdue: boolean
  readonly failing: boolean
  readonly problem: string
  readonly dueSinceMs: number
}

/** How a schedule is doing. */
export function judge(schedule: ScheduleRow, around: Surroundings): Judgement {
  const { nowMs, agent, activeRun, lastRun } = around
  const missed = schedule.nextRunAtMs > 0 && schedule.nextRunAtMs <= nowMs ? schedule.nextRunAtMs : 0
  const dueSinceMs = activeRun?.dueAtMs ?? missed
  const state = stateOf(schedule, around)
  const atWork = state === 'running' && agent.connected
  const late = dueSinceMs > 0 && !atWork && nowMs - dueSinceMs > graceOf(spacingOf(schedule, dueSinceMs))
  const failing = schedule.failures > 0
  const reasons = [
    ...(late ? [lateReason(schedule, around, dueSinceMs)] : []),
    ...(failing ? [failureReason(schedule, lastRun)] : []),
    ...(state === 'waiting' && !late ? [`no agent "${schedule.spec.agent}" has ever registered`] : []),
  ]
  return { state, overdue: late, failing, problem: reasons.join('; '), dueSinceMs }
}

function stateOf(schedule: ScheduleRow, { agent, activeRun }: Surroundings): ScheduleState {
  if (activeRun?.state === 'running') return 'running'
  if (schedule.paused && activeRun === undefined) return 'paused'
  if (!agent.known) return 'waiting'
  return activeRun === undefined ? 'idle' : 'queued'
}

function failureReason({ failures }: ScheduleRow, lastRun: RunRow | undefined): string {
  const failed = lastRun?.state === 'failed' || lastRun?.state === 'refused'
  return failed ? `its last run failed: ${lastRun.message}` : `its last ${failures} runs failed`
}

function lateReason({ spec }: ScheduleRow, { agent }: Surroundings, dueSinceMs: number): string {
  const since = `a run is due since ${new Date(dueSinceMs).toISOString()}`
  if (!agent.known) return `${since}, and no agent "${spec.agent}" has ever registered`
  return agent.connected ? `${since}, and other runs go first` : `${since}, and agent ${spec.agent} is away`
}

function spacingOf(schedule: Planned, aboutMs: number): number {
  return spacing(readTiming(schedule.spec.timing), aboutMs)
}
