import type { ManagerContext } from '../context.ts'
import { AgentDesk } from './agent-desk.ts'
import { AgentPresence } from './agent-presence.ts'
import { applyKeep } from './apply-keep.ts'
import { RunGrants } from './run-grants.ts'
import { ScheduleWorker } from './schedule-worker.ts'
import { Schedules } from './schedules.ts'

/** Everything of a manager that has to do with backups that run by themselves. */
export class Scheduling {
  /** What people ask. */
  readonly schedules: Schedules
  /** What agents ask. */
  readonly agents: AgentDesk
  readonly #worker: ScheduleWorker

  private constructor(context: ManagerContext, presence: AgentPresence) {
    const grants = new RunGrants()
    const worker = new ScheduleWorker({ context, presence, grants })
    this.schedules = new Schedules(context, presence, () => worker.plan())
    this.agents = new AgentDesk({ context, presence, grants, onVersion: (run) => applyKeep(context, run) })
    this.#worker = worker
  }

  static async open(context: ManagerContext): Promise<Scheduling> {
    const agents = await context.catalogue.read((tx) => tx.agents.all())
    return new Scheduling(context, new AgentPresence(context.clock, agents))
  }

  /** One bounded piece of work in the background. @returns whether there is more to do now. */
  step(): Promise<boolean> {
    return this.#worker.step()
  }
}
