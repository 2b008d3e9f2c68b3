import { randomHexId } from '../core/ids.ts'
import type { Page } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type {
  AgentInfo,
  BackupVersion,
  BegunRun,
  Decided,
  ListRunsRequest,
  Schedule,
  ScheduleRun,
  ScheduleSpec,
  ScheduleSummary,
} from '../core/schedules.ts'
import { allPages } from './paged.ts'
import type { SchedulesApi } from './schedules-api.ts'

interface Deps {
  readonly schedules: SchedulesApi
  readonly random: Random
  readonly hostName: string
  readonly userName: string
}

const noPath = new Uint8Array(0)

/**
 * What can be asked about schedules. A schedule is named by its id, by at least 4 digits of its beginning, or as
 * `AGENT:PATH`; what is not found is `not-found`, several that begin so are `ambiguous`.
 */
export class Schedules {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** @throws TwofoldError `invalid-argument` with field `position` for an expression; `already-exists` */
  add(spec: ScheduleSpec, options: CallOptions = {}): Promise<Schedule> {
    return this.#deps.schedules.addSchedule({ spec, ...this.#decided() }, options)
  }

  /** Replaces what was decided; agent and path stay. @throws TwofoldError `not-found`, `invalid-argument` */
  edit(schedule: string, spec: ScheduleSpec, options: CallOptions = {}): Promise<Schedule> {
    return this.#deps.schedules.editSchedule({ schedule, spec, ...this.#decided() }, options)
  }

  get(schedule: string, options: CallOptions = {}): Promise<Schedule> {
    return this.#deps.schedules.getSchedule({ schedule, agent: '', path: noPath }, options)
  }

  /** The schedule of a path, which may be any bytes. */
  find(agent: string, path: Uint8Array, options: CallOptions = {}): Promise<Schedule> {
    return this.#deps.schedules.getSchedule({ schedule: '', agent, path }, options)
  }

  /** By agent and path. */
  list(request: { agent?: string | undefined } = {}, options: CallOptions = {}): AsyncGenerator<Schedule> {
    const { agent = '' } = request
    return allPages((page) => this.#deps.schedules.listSchedules({ agent, ...page }, options))
  }

  pause(schedule: string, options: CallOptions = {}): Promise<Schedule> {
    return this.#deps.schedules.pauseSchedule({ schedule, ...this.#decided() }, options)
  }

  resume(schedule: string, options: CallOptions = {}): Promise<Schedule> {
    return this.#deps.schedules.resumeSchedule({ schedule, ...this.#decided() }, options)
  }

  /** Its backups stay. */
  remove(schedule: string, options: CallOptions = {}): Promise<Schedule> {
    return this.#deps.schedules.removeSchedule({ schedule, ...this.#decided() }, options)
  }

  /** Has it run now. */
  run(schedule: string, options: CallOptions = {}): Promise<BegunRun> {
    return this.#deps.schedules.runSchedule({ schedule, ...this.#decided() }, options)
  }

  cancel(runNumber: number, options: CallOptions = {}): Promise<ScheduleRun> {
    return this.#deps.schedules.cancelRun({ number: runNumber, actor: this.#actor() }, options)
  }

  /** The newest first, one page. */
  runsPage(request: Partial<ListRunsRequest> = {}, options: CallOptions = {}): Promise<Page<ScheduleRun>> {
    const { schedule = '', agent = '', path = noPath, pageSize = 0, pageToken = '' } = request
    return this.#deps.schedules.listRuns({ schedule, agent, path, pageSize, pageToken }, options)
  }

  /** The newest first. */
  runs(
    request: Partial<Omit<ListRunsRequest, 'pageSize' | 'pageToken'>> = {},
    options: CallOptions = {},
  ): AsyncGenerator<ScheduleRun> {
    return allPages((page) => this.runsPage({ ...request, ...page }, options))
  }

  /** Versions of one path of one agent, the newest first. */
  versions(
    request: { agent: string; path: Uint8Array; serial?: number | undefined },
    options: CallOptions = {},
  ): AsyncGenerator<BackupVersion> {
    const { agent, path, serial = 0 } = request
    return allPages((page) => this.#deps.schedules.listVersions({ agent, path, serial, ...page }, options))
  }

  agents(options: CallOptions = {}): Promise<readonly AgentInfo[]> {
    return this.#deps.schedules.listAgents(options)
  }

  /** Forgets one that is not used any more. @throws TwofoldError `not-found`; `failed-precondition` for one in use */
  removeAgent(agent: string, options: CallOptions = {}): Promise<AgentInfo> {
    return this.#deps.schedules.removeAgent({ agent, ...this.#decided() }, options)
  }

  summary(options: CallOptions = {}): Promise<ScheduleSummary> {
    return this.#deps.schedules.getScheduleSummary(options)
  }

  #actor(): string {
    return `${this.#deps.userName}@${this.#deps.hostName}`
  }

  #decided(): Decided {
    return { actor: this.#actor(), requestId: randomHexId<string>(this.#deps.random) }
  }
}
