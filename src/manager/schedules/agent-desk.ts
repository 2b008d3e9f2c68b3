import type {
  AgentOrders,
  AgentPoll,
  AgentRef,
  AgentRegistration,
  RegisterAgentRequest,
  RunReport,
  StartRun,
} from '../../core/agents.ts'
import { TwofoldError } from '../../core/errors.ts'
import { actorNameCharactersMax } from '../../core/limits.ts'
import type { CallOptions } from '../../core/model.ts'
import {
  agentAllowMax,
  agentHooksMax,
  agentPollMsMax,
  agentPollMsMin,
  agentPollMsPerAgent,
  agentRunsMax,
  runAttemptsMax,
} from '../../core/schedule-limits.ts'
import { noSizes } from '../../core/schedules.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { AgentRow, RunRow } from '../catalogue-schedules.ts'
import type { ManagerContext } from '../context.ts'
import { recordRoutine } from '../routine-operations.ts'
import type { AgentPresence } from './agent-presence.ts'
import { nextRunAt, triggerOf } from './plan.ts'
import { endRun } from './run-end.ts'
import type { Ended } from './run-end.ts'
import type { RunGrants } from './run-grants.ts'
import { requireAgentName, requireHookName } from './spec-check.ts'

export interface AgentDeskDeps {
  readonly context: ManagerContext
  readonly presence: AgentPresence
  readonly grants: RunGrants
  /** Called after a run has made a version. */
  readonly onVersion: (run: RunRow) => Promise<void>
}

/** What agents ask. `agents.proto` has the meaning, idempotency and errors of every call. */
export class AgentDesk {
  readonly #deps: AgentDeskDeps

  constructor(deps: AgentDeskDeps) {
    this.#deps = deps
  }

  async registerAgent(request: RegisterAgentRequest, options?: CallOptions): Promise<AgentRegistration> {
    options?.signal?.throwIfAborted()
    const { context, presence } = this.#deps
    requireValid(request)
    context.lineage.requireWritable()
    const row = await context.catalogue.write((tx) => this.#recordAgent(tx, request))
    const nowMs = context.time.nowMs()
    presence.heard({ row, clockAheadMs: Math.round(request.timeMs - nowMs), running: [] }, nowMs)
    const { registrationNumber } = row
    return { registrationNumber, pollIntervalMs: this.#pollIntervalMs(), managerTimeMs: nowMs }
  }

  async #recordAgent(tx: CatalogueWriter, request: RegisterAgentRequest): Promise<AgentRow> {
    const { presence } = this.#deps
    const { timeMs: _, ...about } = request
    const known = await tx.agents.find(request.name)
    if (known?.instanceId === request.instanceId) {
      const row = { ...about, registrationNumber: known.registrationNumber }
      await tx.agents.put(row)
      return row
    }
    if ((await tx.agents.instance(request.instanceId)) !== undefined) throw fenced(request.name)
    const goneInMs = presence.goneInMs(request.name)
    if (known !== undefined && goneInMs > 0) {
      const message =
        `another agent has the name ${request.name} and is there (on ${known.hostName || 'an unknown host'}); ` +
        'stop that one, or give this one another name'
      throw new TwofoldError('already-exists', message, { retryAfterMs: goneInMs, fields: { host: known.hostName } })
    }
    const row = { ...about, registrationNumber: (known?.registrationNumber ?? 0) + 1 }
    await tx.agents.put(row)
    await this.#queueAgain(tx, row)
    await this.#record(tx, row)
    return row
  }

  /** What the process of before was working on is to be done by this one. */
  async #queueAgain(tx: CatalogueWriter, agent: AgentRow): Promise<void> {
    for (const run of await tx.runs.active(agent.name)) {
      if (run.state === 'queued') continue
      if (run.cancelled || run.attempt >= runAttemptsMax) await this.#giveUp(tx, run)
      else await tx.runs.update({ ...run, state: 'queued', registration: 0 })
    }
  }

  async #giveUp(tx: CatalogueWriter, run: RunRow): Promise<void> {
    const state = run.cancelled ? 'cancelled' : 'failed'
    const message = run.cancelled
      ? 'it was cancelled'
      : `the agent was started anew ${run.attempt} times while it ran; its log says why`
    const nothing = { snapshotId: '', sizes: noSizes, filesUnreadable: 0, durationMs: 0 }
    const nowMs = this.#deps.context.time.nowMs()
    await endRun(tx, run, { ending: { ...nothing, state, message }, nowMs })
  }

  async #record(tx: CatalogueWriter, { name, hostName }: AgentRow): Promise<void> {
    const rest = { result: 'ok', detail: '', snapshotId: '', durationMs: 0 } as const
    const timeMs = Math.round(this.#deps.context.clock.nowMs())
    await recordRoutine(tx, { kind: 'register-agent', timeMs, actor: name, subject: hostName, ...rest })
  }

  async poll(request: AgentPoll, options?: CallOptions): Promise<AgentOrders> {
    options?.signal?.throwIfAborted()
    const { context, presence } = this.#deps
    const row = await this.#requireAgent(request)
    const nowMs = context.time.nowMs()
    presence.heard({ row, clockAheadMs: Math.round(request.timeMs - nowMs), running: request.running }, nowMs)
    const reply = { pollIntervalMs: this.#pollIntervalMs(), managerTimeMs: nowMs }
    if (request.leaving) {
      presence.left(row.name)
      return { start: [], cancel: [], ...reply }
    }
    context.lineage.requireWritable()
    const active = await context.catalogue.read((tx) => tx.runs.active(row.name))
    const wanted = new Map(active.map((run) => [run.number, run]))
    const isWanted = (run: AgentPoll['running'][number]): boolean => {
      const known = wanted.get(run.number)
      return known?.state === 'running' && known.attempt === run.attempt && !known.cancelled
    }
    const cancel = request.running.filter((run) => !isWanted(run)).map(({ number }) => number)
    const start: StartRun[] = []
    for (const run of active) {
      const order = await this.#orderFor(run, row, request)
      if (order !== undefined) start.push(order)
    }
    return { start, cancel, ...reply }
  }

  #pollIntervalMs(): number {
    const forAllMs = agentPollMsPerAgent * this.#deps.presence.connected().length
    return Math.min(agentPollMsMax, Math.max(agentPollMsMin, forAllMs))
  }

  /** The order for a run that may begin, or that the agent does not seem to have heard of. */
  async #orderFor(run: RunRow, agent: AgentRow, { running }: AgentPoll): Promise<StartRun | undefined> {
    const { context, grants } = this.#deps
    if (running.some(({ number, attempt }) => number === run.number && attempt === run.attempt)) return undefined
    // While the cluster is being shut down no backup begins; what is queued waits for the manager that comes after.
    const open = context.shutdown.phase === 'off'
    if (run.state === 'queued' && !(open && grants.has(run.number))) return undefined
    return context.catalogue.write(async (tx) => {
      const now = await tx.runs.find(run.number)
      if (now === undefined || (now.state !== 'queued' && now.state !== 'running')) return undefined
      const schedule = await tx.schedules.find(now.scheduleId)
      if (schedule === undefined || now.cancelled) {
        await this.#giveUp(tx, { ...now, cancelled: true })
        return undefined
      }
      if (now.state === 'running') {
        return { number: now.number, attempt: now.attempt, scheduleId: now.scheduleId, spec: schedule.spec }
      }
      const nowMs = context.time.nowMs()
      const attempt = now.attempt + 1
      const begun = { ...now, state: 'running', attempt, startedAtMs: nowMs, registration: agent.registrationNumber }
      const trigger = now.trigger === 'manual' ? 'manual' : await this.#trigger(now, schedule, nowMs)
      await tx.runs.update({ ...begun, state: 'running', trigger })
      // Whatever was due up to now is caught up by this run. One that somebody asked for is beside those to come.
      const isDue = now.trigger !== 'manual' || (schedule.nextRunAtMs > 0 && schedule.nextRunAtMs <= nowMs)
      const catchesUp = isDue && !schedule.paused
      if (catchesUp) await tx.schedules.put({ ...schedule, nextRunAtMs: nextRunAt(schedule, nowMs), retrying: false })
      grants.take(now.number)
      return { number: now.number, attempt, scheduleId: now.scheduleId, spec: schedule.spec }
    })
  }

  async #trigger(run: RunRow, schedule: Parameters<typeof triggerOf>[0], nowMs: number): Promise<RunRow['trigger']> {
    if (run.trigger === 'retry') return 'retry'
    return triggerOf({ ...schedule, nextRunAtMs: run.dueAtMs, retrying: false }, nowMs)
  }

  async reportRun(report: RunReport, options?: CallOptions): Promise<number> {
    options?.signal?.throwIfAborted()
    const { context, onVersion } = this.#deps
    const agent = await this.#requireAgent(report)
    context.lineage.requireWritable()
    const ended = await context.catalogue.write(async (tx): Promise<Ended | undefined> => {
      const run = await tx.runs.find(report.number)
      const mine = run?.agent === agent.name && run.registration === agent.registrationNumber
      if (run === undefined || !mine || run.state !== 'running' || run.attempt !== report.attempt) {
        return run === undefined ? undefined : { run, made: false }
      }
      const end = await endRun(tx, run, { ending: report, nowMs: context.time.nowMs() })
      if (end.run.state === 'failed' || end.run.state === 'refused') await this.#recordFailure(tx, end.run)
      return end
    })
    if (ended?.made === true) await onVersion(ended.run)
    return ended?.run.serial ?? 0
  }

  async #recordFailure(tx: CatalogueWriter, run: RunRow): Promise<void> {
    const timeMs = Math.round(this.#deps.context.clock.nowMs())
    const subject = `${run.agent}:${Buffer.from(run.path).toString()}`.slice(0, 4096)
    const detail = run.message.slice(0, 1000)
    const rest = { snapshotId: '', durationMs: run.durationMs }
    await recordRoutine(tx, { kind: 'run', timeMs, actor: run.agent, subject, result: 'failed', detail, ...rest })
  }

  /** @throws TwofoldError `not-registered`; `fenced` when a later process took its place */
  async #requireAgent({ name, instanceId, registrationNumber }: AgentRef): Promise<AgentRow> {
    const row = this.#deps.presence.get(name)?.row
    if (row === undefined || registrationNumber > row.registrationNumber) throw notRegistered()
    if (row.instanceId !== instanceId) throw fenced(name)
    return row
  }
}

function requireValid(request: RegisterAgentRequest): void {
  requireAgentName(request.name)
  if (!/^[0-9a-f]{32}$/.test(request.instanceId)) throw invalid('an instance id must be 32 hexadecimal digits')
  if (request.allow.length < 1 || request.allow.length > agentAllowMax) {
    throw invalid(`an agent allows 1 to ${agentAllowMax} folders, not ${request.allow.length}`)
  }
  if (request.hooks.length > agentHooksMax) throw invalid(`an agent has at most ${agentHooksMax} hooks`)
  request.hooks.forEach(requireHookName)
  if (!Number.isInteger(request.runsMax) || request.runsMax < 1 || request.runsMax > agentRunsMax) {
    throw invalid(`an agent takes 1 to ${agentRunsMax} runs at once, not ${request.runsMax}`)
  }
  if (Math.max(request.hostName.length, request.programVersion.length) > actorNameCharactersMax) {
    throw invalid('the name of the host or the version is too long')
  }
}

function invalid(message: string): TwofoldError {
  return new TwofoldError('invalid-argument', message)
}

function notRegistered(): TwofoldError {
  return new TwofoldError('not-registered', 'the manager does not know this registration; register again')
}

function fenced(name: string): TwofoldError {
  return new TwofoldError('fenced', `a later process is agent ${name} now; this one must stop`)
}
