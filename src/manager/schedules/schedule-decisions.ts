import { TwofoldError } from '../../core/errors.ts'
import { randomHexId } from '../../core/ids.ts'
import { actorNameCharactersMax } from '../../core/limits.ts'
import { schedulesMax } from '../../core/schedule-limits.ts'
import { noSizes } from '../../core/schedules.ts'
import type {
  AddScheduleRequest,
  Decided,
  EditScheduleRequest,
  RunTrigger,
  ScheduleRequest,
  ScheduleSpec,
} from '../../core/schedules.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { RunRow, ScheduleRow } from '../catalogue-schedules.ts'
import { appendToLog } from '../commit-log.ts'
import type { ManagerContext } from '../context.ts'
import { once } from '../once.ts'
import { findVault } from '../vaults.ts'
import { findSchedule } from './find-schedule.ts'
import { nextRunAt } from './plan.ts'
import { endRun } from './run-end.ts'
import { checkedSpec } from './spec-check.ts'
import { decisionFromFields, decisionToFields, specToFields } from './stored-spec.ts'

/** What of a request makes it the same again; bytes as text, which JSON keeps. */
const comparable = ({ spec, ...rest }: AddScheduleRequest): Record<string, unknown> & Decided => ({
  ...rest,
  spec: specToFields(spec),
})

/** @returns its id */
export async function addSchedule(context: ManagerContext, request: AddScheduleRequest): Promise<string> {
  const nowMs = context.time.nowMs()
  const spec = checkedSpec(request.spec, nowMs)
  return once(context, { kind: 'schedule-add', request: comparable(request) }, async (tx) => {
    await findVault(tx, spec.vault)
    const known = await tx.schedules.ofSeries(spec)
    if (known !== undefined) {
      const { scheduleId } = known
      const how = `"twofold schedule edit ${scheduleId.slice(0, 8)}" changes it`
      const message = `${describe(spec)} has a schedule already: ${how}`
      throw new TwofoldError('already-exists', message, { fields: { schedule: scheduleId } })
    }
    if ((await tx.schedules.count()) >= schedulesMax) {
      throw new TwofoldError('failed-precondition', `there are ${schedulesMax} schedules; remove some first`)
    }
    const row: ScheduleRow = {
      ...{ scheduleId: randomHexId<string>(context.random), spec, paused: false },
      ...{ anchorMs: nowMs, createdAtMs: nowMs, changedAtMs: nowMs, nextRunAtMs: 0, retrying: false },
      ...{ activeRun: 0, lastRun: 0, lastSuccessAtMs: 0, failures: 0 },
    }
    // What runs again and again begins at once: until then nothing is saved.
    await decide(tx, { ...row, nextRunAtMs: spec.timing.every === '' ? nextRunAt(row, nowMs) : nowMs })
    await record(context, tx, { kind: 'schedule-add', actor: request.actor, row })
    return row.scheduleId
  })
}

/** @returns its id */
export async function editSchedule(context: ManagerContext, request: EditScheduleRequest): Promise<string> {
  const nowMs = context.time.nowMs()
  return once(context, { kind: 'schedule-edit', request: comparable(request) }, async (tx) => {
    const row = await findSchedule(tx, request.schedule)
    const { agent, path } = row.spec
    const asked = request.spec
    const named = { ...asked, agent: asked.agent || agent, path: asked.path.length === 0 ? path : asked.path }
    const spec = checkedSpec(named, nowMs)
    if (spec.agent !== agent || !Buffer.from(spec.path).equals(path)) {
      throw new TwofoldError('invalid-argument', `the agent and the path of a schedule stay; add another one for those`)
    }
    await findVault(tx, spec.vault)
    const sameTime = JSON.stringify(spec.timing) === JSON.stringify(row.spec.timing)
    const edited = { ...row, spec, changedAtMs: nowMs, anchorMs: sameTime ? row.anchorMs : nowMs }
    const nextRunAtMs = sameTime || row.paused ? row.nextRunAtMs : nextRunAt(edited, nowMs)
    await decide(tx, { ...edited, nextRunAtMs, retrying: sameTime && row.retrying })
    await record(context, tx, { kind: 'schedule-edit', actor: request.actor, row })
    return row.scheduleId
  })
}

/** @returns its id */
export async function pauseSchedule(context: ManagerContext, request: ScheduleRequest): Promise<string> {
  const nowMs = context.time.nowMs()
  return once(context, { kind: 'schedule-pause', request }, async (tx) => {
    const row = await findSchedule(tx, request.schedule)
    if (row.paused) return row.scheduleId
    const run = row.activeRun === 0 ? undefined : await tx.runs.find(row.activeRun)
    await decide(tx, { ...row, paused: true, changedAtMs: nowMs, nextRunAtMs: 0, retrying: false })
    if (run?.state === 'queued' && run.trigger !== 'manual') await cancel(tx, run, nowMs)
    await record(context, tx, { kind: 'schedule-pause', actor: request.actor, row })
    return row.scheduleId
  })
}

/** @returns its id */
export async function resumeSchedule(context: ManagerContext, request: ScheduleRequest): Promise<string> {
  const nowMs = context.time.nowMs()
  return once(context, { kind: 'schedule-resume', request }, async (tx) => {
    const row = await findSchedule(tx, request.schedule)
    if (!row.paused) return row.scheduleId
    await decide(tx, { ...row, paused: false, changedAtMs: nowMs, nextRunAtMs: nextRunAt(row, nowMs) })
    await record(context, tx, { kind: 'schedule-resume', actor: request.actor, row })
    return row.scheduleId
  })
}

/** @returns it as it was */
export async function removeSchedule(context: ManagerContext, request: ScheduleRequest): Promise<ScheduleRow> {
  const nowMs = context.time.nowMs()
  const fields = await once(context, { kind: 'schedule-remove', request }, async (tx) => {
    const row = await findSchedule(tx, request.schedule)
    const run = row.activeRun === 0 ? undefined : await tx.runs.find(row.activeRun)
    await tx.schedules.remove(row.scheduleId)
    await appendToLog(tx, 'schedule-removed', { scheduleId: row.scheduleId })
    if (run !== undefined) await cancel(tx, run, nowMs)
    await record(context, tx, { kind: 'schedule-remove', actor: request.actor, row })
    return { ...decisionToFields(row), activeRun: row.activeRun, lastRun: row.lastRun }
  })
  const { activeRun, lastRun } = fields as unknown as ScheduleRow
  const rest = { activeRun, lastRun, nextRunAtMs: 0, retrying: false, lastSuccessAtMs: 0, failures: 0 }
  return { ...rest, ...decisionFromFields(fields) }
}

/** Has it run now. */
export async function runSchedule(
  context: ManagerContext,
  request: ScheduleRequest,
): Promise<{ number: number; begun: boolean }> {
  const nowMs = context.time.nowMs()
  return once(context, { kind: 'schedule-run', request }, async (tx) => {
    const row = await findSchedule(tx, request.schedule)
    if (row.activeRun !== 0) return { number: row.activeRun, begun: false }
    const number = await queueRun(tx, row, { trigger: 'manual', dueAtMs: nowMs })
    await tx.schedules.put({ ...row, activeRun: number })
    await record(context, tx, { kind: 'schedule-run', actor: request.actor, row })
    return { number, begun: true }
  })
}

/** Adds a run that waits for its agent. @returns its number, which the schedule has to remember */
export function queueRun(
  tx: CatalogueWriter,
  row: ScheduleRow,
  { trigger, dueAtMs }: { trigger: RunTrigger; dueAtMs: number },
): Promise<number> {
  const { agent, path } = row.spec
  return tx.runs.add({
    ...{ scheduleId: row.scheduleId, agent, path, state: 'queued', trigger, dueAtMs },
    ...{ startedAtMs: 0, endedAtMs: 0, durationMs: 0, serial: 0, snapshotId: '', sizes: noSizes },
    ...{ filesUnreadable: 0, message: '', attempt: 0, registration: 0, cancelled: false },
  })
}

/** Ends a run that waits, and has the agent told of one that goes on. @throws TwofoldError `not-found` */
export async function cancelRun(context: ManagerContext, number: number, actor: string): Promise<void> {
  const nowMs = context.time.nowMs()
  await context.catalogue.write(async (tx) => {
    const run = await tx.runs.find(number)
    if (run === undefined) throw new TwofoldError('not-found', `there is no run ${number}`)
    const over = run.state !== 'queued' && run.state !== 'running'
    if (over || run.cancelled) return
    await cancel(tx, run, nowMs)
    await tx.operations.add(operation(context, { kind: 'schedule-cancel', actor, subject: `run ${number}` }))
  })
}

async function cancel(tx: CatalogueWriter, run: RunRow, nowMs: number): Promise<void> {
  if (run.state === 'running') return tx.runs.update({ ...run, cancelled: true })
  const nothing = { snapshotId: '', sizes: noSizes, filesUnreadable: 0, durationMs: 0 }
  const ending = { ...nothing, state: 'cancelled', message: 'it was cancelled before it began' } as const
  await endRun(tx, run, { ending, nowMs })
}

/** Keeps a decision, and has the nodes keep it. */
async function decide(tx: CatalogueWriter, row: ScheduleRow): Promise<void> {
  await tx.schedules.put(row)
  await appendToLog(tx, 'schedule', decisionToFields(row))
}

interface Done {
  readonly kind: string
  readonly actor: string
  readonly row: ScheduleRow
}

async function record(context: ManagerContext, tx: CatalogueWriter, { kind, actor, row }: Done): Promise<void> {
  await tx.operations.add(operation(context, { kind, actor, subject: describe(row.spec) }))
}

/** What the history says of a decision. */
export function operation(
  context: ManagerContext,
  { kind, actor, subject }: { kind: string; actor: string; subject: string },
): Parameters<CatalogueWriter['operations']['add']>[0] {
  const rest = { result: 'ok', detail: '', snapshotId: '', durationMs: 0 } as const
  const timeMs = Math.round(context.clock.nowMs())
  return { kind, timeMs, actor: actor.slice(0, 2 * actorNameCharactersMax), subject: subject.slice(0, 4096), ...rest }
}

const describe = ({ agent, path }: Pick<ScheduleSpec, 'agent' | 'path'>): string =>
  `${agent}:${Buffer.from(path).toString()}`
