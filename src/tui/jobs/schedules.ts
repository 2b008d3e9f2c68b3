import type { Client } from '../../client/index.ts'
import { tuiRunsMax, tuiSchedulesMax } from '../../core/client-limits.ts'
import { isTwofoldError } from '../../core/errors.ts'
import type { Schedule, ScheduleRun } from '../../core/schedules.ts'
import { formatAhead, timingText } from '../../core/schedule-words.ts'
import type { Clock } from '../../core/clock.ts'
import { safePath, safeText } from '../../core/safe-text.ts'
import type { News, ScheduleAct } from '../work.ts'

export interface SchedulesDeps {
  readonly client: Pick<Client, 'schedules'>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly tell: (news: News) => void
}

/** @param runsOf id of the schedule whose runs are wanted, too */
export async function listSchedules(
  { client, signal, tell }: SchedulesDeps,
  runsOf: string | undefined,
): Promise<void> {
  const { schedules } = client
  const [listed, agents, runs] = await Promise.all([
    first(schedules.list({}, { signal }), tuiSchedulesMax),
    schedules.agents({ signal }),
    runsOf === undefined ? [] : listRuns(client, runsOf, signal),
  ])
  tell({ kind: 'schedules', schedules: listed.items, more: listed.more, agents })
  if (runsOf !== undefined) tell({ kind: 'schedule-runs', schedule: runsOf, runs })
}

async function listRuns(
  { schedules }: Pick<Client, 'schedules'>,
  schedule: string,
  signal: AbortSignal,
): Promise<readonly ScheduleRun[]> {
  try {
    return (await first(schedules.runs({ schedule }, { signal }), tuiRunsMax)).items
  } catch (error) {
    // Somebody removed it meanwhile: the list says so.
    if (isTwofoldError(error, 'not-found')) return []
    throw error
  }
}

async function first<T>(items: AsyncIterable<T>, most: number): Promise<{ items: T[]; more: boolean }> {
  const found: T[] = []
  for await (const item of items) {
    if (found.length >= most) return { items: found, more: true }
    found.push(item)
  }
  return { items: found, more: false }
}

/** Tells what was done. */
export async function changeSchedule({ client, clock, signal }: SchedulesDeps, act: ScheduleAct): Promise<News> {
  const { schedules } = client
  const nowMs = clock.nowMs()
  switch (act.do) {
    case 'add':
      return changed(await schedules.add(act.spec, { signal }), 'is added', nowMs)
    case 'edit':
      return changed(await schedules.edit(act.schedule, act.spec, { signal }), 'is changed', nowMs)
    case 'pause':
      return changed(await schedules.pause(act.schedule, { signal }), 'is paused', nowMs)
    case 'resume':
      return changed(await schedules.resume(act.schedule, { signal }), 'goes on', nowMs)
    case 'remove': {
      const removed = await schedules.remove(act.schedule, { signal })
      return { kind: 'schedule-changed', text: `${nameOf(removed.spec)} is removed; its backups stay` }
    }
    case 'run': {
      const { run, begun } = await schedules.run(act.schedule, { signal })
      const how = begun ? 'is begun' : 'goes on already'
      return { kind: 'schedule-changed', text: `Run ${run.number} of ${nameOf(run)} ${how}` }
    }
  }
}

function changed(schedule: Schedule, how: string, nowMs: number): News {
  const { spec, state, nextRunAtMs } = schedule
  const waits = state === 'waiting' ? ', once its agent has registered' : ''
  const next = nextRunAtMs === 0 ? '' : `, next run ${formatAhead(nextRunAtMs, nowMs)}${waits}`
  return { kind: 'schedule-changed', text: `${nameOf(spec)}, ${timingText(spec)}, ${how}${next}` }
}

/** `web1:/srv/site` */
function nameOf({ agent, path }: { readonly agent: string; readonly path: Uint8Array }): string {
  return `${safeText(agent)}:${safePath(path)}`
}
