import type { CallOptions } from '../../core/model.ts'
import { attentionMax } from '../../core/schedule-limits.ts'
import type { Page } from '../../core/messages.ts'
import type {
  AddScheduleRequest,
  AgentInfo,
  BackupVersion,
  BegunRun,
  EditScheduleRequest,
  GetScheduleRequest,
  ListRunsRequest,
  ListSchedulesRequest,
  ListVersionsRequest,
  RemoveAgentRequest,
  Schedule,
  ScheduleRequest,
  ScheduleRun,
  ScheduleSummary,
} from '../../core/schedules.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { CatalogueReader } from '../catalogue.ts'
import type { ScheduleRow } from '../catalogue-schedules.ts'
import type { ManagerContext } from '../context.ts'
import { makeToken, pageLimit, pageOf, readNumberToken, readToken } from '../paging.ts'
import type { AgentPresence } from './agent-presence.ts'
import { findOfSeries, findSchedule } from './find-schedule.ts'
import { removeAgent } from './remove-agent.ts'
import * as decisions from './schedule-decisions.ts'
import { viewAgent, viewRun, viewSchedule, viewVersion } from './schedule-view.ts'
import { normalPath, requireAgentName } from './spec-check.ts'

/** What people ask about schedules. `schedules.proto` has the meaning, idempotency and errors of every call. */
export class Schedules {
  readonly #context: ManagerContext
  readonly #presence: AgentPresence

  /** Plans which runs may begin. */
  readonly #plan: () => Promise<void>

  constructor(context: ManagerContext, presence: AgentPresence, plan: () => Promise<void>) {
    this.#context = context
    this.#presence = presence
    this.#plan = plan
  }

  addSchedule(request: AddScheduleRequest, options?: CallOptions): Promise<Schedule> {
    return this.#decide(options, (context) => decisions.addSchedule(context, request))
  }

  editSchedule(request: EditScheduleRequest, options?: CallOptions): Promise<Schedule> {
    return this.#decide(options, (context) => decisions.editSchedule(context, request))
  }

  getSchedule({ schedule, agent, path }: GetScheduleRequest, options?: CallOptions): Promise<Schedule> {
    return this.#read(options, async (tx) => {
      const row = schedule === '' ? await findOfSeries(tx, { agent, path }) : await findSchedule(tx, schedule)
      return this.#view(tx, row)
    })
  }

  listSchedules({ agent, ...page }: ListSchedulesRequest, options?: CallOptions): Promise<Page<Schedule>> {
    const limit = pageLimit(page.pageSize)
    const token = readToken('schedules', page.pageToken)
    return this.#read(options, async (tx) => {
      const after = token === undefined ? undefined : (await tx.schedules.find(token))?.spec
      if (token !== undefined && after === undefined) throw gone()
      const rows = await tx.schedules.page({ agent, after, limit: limit + 1 })
      const bytesOf = (row: ScheduleRow): number => 2000 + row.spec.excludes.join().length + row.spec.path.length * 3
      const tokenAfter = (row: ScheduleRow): string => makeToken('schedules', row.scheduleId)
      const found = pageOf(rows, { limit, bytesOf, tokenAfter })
      const items: Schedule[] = []
      for (const row of found.items) items.push(await this.#view(tx, row))
      return { ...found, items }
    })
  }

  pauseSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule> {
    return this.#decide(options, (context) => decisions.pauseSchedule(context, request))
  }

  resumeSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule> {
    return this.#decide(options, (context) => decisions.resumeSchedule(context, request))
  }

  async removeSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule> {
    options?.signal?.throwIfAborted()
    this.#context.lineage.requireWritable()
    const row = await decisions.removeSchedule(this.#context, request)
    return this.#context.catalogue.read((tx) => this.#view(tx, row))
  }

  async runSchedule(request: ScheduleRequest, options?: CallOptions): Promise<BegunRun> {
    options?.signal?.throwIfAborted()
    this.#context.lineage.requireWritable()
    const { number, begun } = await decisions.runSchedule(this.#context, request)
    await this.#plan()
    return { run: await this.#run(number), begun }
  }

  async cancelRun(request: { number: number; actor: string }, options?: CallOptions): Promise<ScheduleRun> {
    options?.signal?.throwIfAborted()
    this.#context.lineage.requireWritable()
    await decisions.cancelRun(this.#context, request.number, request.actor)
    return this.#run(request.number)
  }

  listRuns({ schedule, agent, path, ...page }: ListRunsRequest, options?: CallOptions): Promise<Page<ScheduleRun>> {
    const limit = pageLimit(page.pageSize)
    const before = readNumberToken('runs', page.pageToken) ?? Number.MAX_SAFE_INTEGER
    return this.#read(options, async (tx) => {
      const of = {
        ...(schedule === '' ? {} : { scheduleId: (await findSchedule(tx, schedule)).scheduleId }),
        ...(agent === '' ? {} : { agent }),
        ...(path.length === 0 ? {} : { path: normalPath(path) }),
      }
      const rows = await tx.runs.page({ before, limit: limit + 1, ...of })
      const bytesOf = (row: { path: Uint8Array; message: string }): number => 400 + row.path.length + row.message.length
      const tokenAfter = (row: { number: number }): string => makeToken('runs', String(row.number))
      const found = pageOf(rows, { limit, bytesOf, tokenAfter })
      return { ...found, items: found.items.map((row) => viewRun(row, this.#presence)) }
    })
  }

  listVersions(request: ListVersionsRequest, options?: CallOptions): Promise<Page<BackupVersion>> {
    const { agent, serial, ...page } = request
    const series = { agent, path: normalPath(request.path) }
    requireAgentName(agent)
    const limit = serial === 0 ? pageLimit(page.pageSize) : 1
    const first = serial === 0 ? Number.MAX_SAFE_INTEGER : serial + 1
    const before = readNumberToken('versions', page.pageToken) ?? first
    return this.#read(options, async (tx) => {
      const rows = await tx.versions.page(series, before, limit + 1)
      const wanted = serial === 0 ? rows : rows.filter((row) => row.serial === serial)
      const found = pageOf(wanted, { limit, tokenAfter: (row) => makeToken('versions', String(row.serial)) })
      const items: BackupVersion[] = []
      for (const row of found.items) items.push(await viewVersion(tx, row))
      return { ...found, items }
    })
  }

  listAgents(options?: CallOptions): Promise<readonly AgentInfo[]> {
    return this.#read(options, async (tx) => {
      const counts = await tx.schedules.countByAgent()
      const rows = new Map((await tx.agents.all()).map((row) => [row.name, row]))
      const names = [...new Set([...rows.keys(), ...counts.keys()])].sort()
      const about = (name: string): Parameters<typeof viewAgent>[1] => {
        return { row: rows.get(name), presence: this.#presence, schedules: counts.get(name) ?? 0 }
      }
      return names.map((name) => viewAgent(name, about(name)))
    })
  }

  removeAgent(request: RemoveAgentRequest, options?: CallOptions): Promise<AgentInfo> {
    options?.signal?.throwIfAborted()
    this.#context.lineage.requireWritable()
    return removeAgent(this.#context, this.#presence, request)
  }

  async getScheduleSummary(options?: CallOptions): Promise<ScheduleSummary> {
    const counts = { schedules: 0, paused: 0, waiting: 0, running: 0, overdue: 0, failing: 0 }
    const attention: Schedule[] = []
    let after: ScheduleRow | undefined
    do {
      // A page at a time, so that agents and backups have their turn in between.
      const page = await this.#read(options, async (tx) => {
        const rows = await tx.schedules.page({ agent: '', after: after?.spec, limit: summaryPage })
        const schedules: Schedule[] = []
        for (const row of rows) schedules.push(await this.#view(tx, row))
        return { rows, schedules }
      })
      counts.paused += page.rows.filter(({ paused }) => paused).length
      for (const schedule of page.schedules) {
        counts.schedules += 1
        if (schedule.state === 'waiting') counts.waiting += 1
        if (schedule.state === 'running') counts.running += 1
        if (schedule.overdue) counts.overdue += 1
        if (schedule.failing) counts.failing += 1
        if (schedule.problem !== '' && attention.length < attentionMax) attention.push(schedule)
      }
      after = page.rows.at(-1)
    } while (after !== undefined)
    const agents = await this.#read(options, (tx) => tx.agents.all())
    return { ...counts, agentsConnected: this.#presence.connected().length, agents: agents.length, attention }
  }

  #view(tx: CatalogueReader, row: ScheduleRow): Promise<Schedule> {
    return viewSchedule(tx, row, { presence: this.#presence, nowMs: this.#context.time.nowMs() })
  }

  #run(number: number): Promise<ScheduleRun> {
    return this.#context.catalogue.read(async (tx) => {
      const row = await tx.runs.find(number)
      if (row === undefined) throw new TwofoldError('not-found', `run ${number} is not remembered any more`)
      return viewRun(row, this.#presence)
    })
  }

  async #decide(
    options: CallOptions | undefined,
    decide: (context: ManagerContext) => Promise<string>,
  ): Promise<Schedule> {
    options?.signal?.throwIfAborted()
    this.#context.lineage.requireWritable()
    const id = await decide(this.#context)
    return this.#context.catalogue.read(async (tx) => {
      const row = await tx.schedules.find(id)
      if (row === undefined) throw new TwofoldError('not-found', `schedule ${id.slice(0, 8)} was removed meanwhile`)
      return this.#view(tx, row)
    })
  }

  async #read<T>(options: CallOptions | undefined, work: (tx: CatalogueReader) => Promise<T>): Promise<T> {
    options?.signal?.throwIfAborted()
    return this.#context.catalogue.read(work)
  }
}

function gone(): TwofoldError {
  return new TwofoldError('invalid-argument', 'the list changed meanwhile; begin with the first page')
}

/** Schedules that a summary looks at in one transaction. */
const summaryPage = 200
