import { schedulesPerStep } from '../../core/schedule-limits.ts'
import type { ManagerContext } from '../context.ts'
import type { AgentPresence } from './agent-presence.ts'
import { planStarts, triggerOf } from './plan.ts'
import type { RunGrants } from './run-grants.ts'
import { queueRun } from './schedule-decisions.ts'

interface Deps {
  readonly context: ManagerContext
  readonly presence: AgentPresence
  readonly grants: RunGrants
}

/** Has schedules run when they are due. */
export class ScheduleWorker {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** One bounded piece. @returns whether there is more to do now. */
  async step(): Promise<boolean> {
    // In an older catalogue all would be due that have run since.
    if (this.#deps.context.lineage.state === 'rolled-back') return false
    const more = await this.#queueDue()
    await this.plan()
    return more
  }

  async #queueDue(): Promise<boolean> {
    const { context } = this.#deps
    const nowMs = context.time.nowMs()
    const due = await context.catalogue.read((tx) => tx.schedules.due(nowMs, schedulesPerStep))
    if (due.length === 0) return false
    await context.catalogue.write(async (tx) => {
      for (const { scheduleId } of due) {
        const row = await tx.schedules.find(scheduleId)
        if (row === undefined || row.activeRun !== 0 || row.nextRunAtMs === 0 || row.nextRunAtMs > nowMs) continue
        const trigger = triggerOf(row, nowMs)
        const activeRun = await queueRun(tx, row, { trigger, dueAtMs: row.nextRunAtMs })
        await tx.schedules.put({ ...row, activeRun })
      }
    })
    return due.length === schedulesPerStep
  }

  /** Decides anew which of the runs that wait may begin. */
  async plan(): Promise<void> {
    const { context, presence, grants } = this.#deps
    const connected = presence.connected()
    if (connected.length === 0) return grants.replace([])
    const { waiting, running } = await context.catalogue.read(async (tx) => {
      return { waiting: await tx.runs.queued(schedulesMaxWaiting), running: await tx.runs.runningByAgent() }
    })
    const capacity = connected.map(({ name, runsMax }) => [name, { runsMax, running: running.get(name) ?? 0 }] as const)
    grants.replace(planStarts(waiting, new Map(capacity)).map(({ number }) => number))
  }
}

/** More than go on at once, so that those of agents that are away do not hide all others. */
const schedulesMaxWaiting = 10_000
