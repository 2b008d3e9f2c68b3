import { isolate, safePath, safeText } from '../../core/safe-text.ts'
import { scheduleDoubt } from '../../core/schedule-doubt.ts'
import { stateText, timingText } from '../../core/schedule-words.ts'
import type { AgentInfo, Schedule, ScheduleRun, ScheduleSpec } from '../../core/schedules.ts'
import { shownBytes } from '../byte-path.ts'
import { emptyList, filtered, listKey } from '../folder-list.ts'
import type { ListState } from '../folder-list.ts'
import type { Key } from '../key-parser.ts'
import { clampTo, isKey, isText } from '../list-cursor.ts'
import { stay, yesOrNo } from '../screen.ts'
import type { Effect, KeyHint, Next, Screen, Shared } from '../screen.ts'
import type { News, ScheduleAct } from '../work.ts'
import { formKey, formOf, newForm, openFields } from './schedule-form.ts'
import type { ScheduleForm } from './schedule-form.ts'
import { schedulesView } from './schedules-view.ts'

export interface SchedulesState {
  /** By agent and path; undefined until they are there. */
  readonly schedules: readonly Schedule[] | undefined
  /** Whether there are more than are listed. */
  readonly more: boolean
  readonly agents: readonly AgentInfo[]
  readonly problem: string
  readonly list: ListState
  /** Only those that are overdue or failing are shown. */
  readonly troubled: boolean
  readonly runs: ShownRuns | undefined
  readonly form: ScheduleForm | undefined
}

/** The runs of one schedule. */
export interface ShownRuns {
  /** Its id. */
  readonly schedule: string
  /** The newest first; undefined until they are there. */
  readonly items: readonly ScheduleRun[] | undefined
  readonly list: ListState
}

export const schedulesScreen: Screen<SchedulesState> = {
  title: 'Schedules',
  initial: {
    ...{ schedules: undefined, more: false, agents: [], problem: '', list: emptyList, troubled: false },
    ...{ runs: undefined, form: undefined },
  },
  help: [
    'What agents back up by themselves, again and again: when the next run is, and what became of the last one.',
    'Overdue is a run that should have begun long ago; failing, a schedule whose last run failed. o shows only those.',
    'Enter shows the runs: each that found something new has the next serial number, the others are "unchanged".',
    'A schedule that is removed or paused keeps its backups. n has one run now, also while it is paused.',
    'What to keep and hooks are decided by command: twofold schedule edit.',
  ],
  keys,
  onOpen: (own) => stay(own, list(own)),
  onKey,
  onNews,
  isTyping: ({ form, list: { typing }, runs }) => form !== undefined || (runs === undefined && typing),
  view: (own, shared) => schedulesView(own, shared, shownSchedules(own)),
}

export function shownSchedules({ schedules, list: { filter }, troubled }: SchedulesState): readonly Schedule[] {
  const chosen = (schedules ?? []).filter(({ overdue, failing }) => !troubled || overdue || failing)
  return filtered(chosen, filter, (schedule) => {
    const { spec, lastRun } = schedule
    const name = `${spec.agent}:${safePath(spec.path)}`
    return [name, timingText(spec), stateText(schedule), lastRun?.state ?? '', ...spec.tags].join(' ')
  })
}

function selectedSchedule(own: SchedulesState): Schedule | undefined {
  if (own.runs !== undefined) return own.schedules?.find(({ scheduleId }) => scheduleId === own.runs?.schedule)
  const shown = shownSchedules(own)
  return shown[clampTo(own.list.selected, shown.length)]
}

function keys(own: SchedulesState): KeyHint[] {
  const { form, runs, troubled } = own
  if (form !== undefined) {
    const last = form.field === openFields(form).at(-1)
    return [
      { key: 'Enter', does: last ? 'save it' : 'next' },
      { key: '↑↓', does: 'field' },
      { key: 'Ctrl-S', does: 'save it' },
    ]
  }
  if (own.list.typing && runs === undefined) return [{ key: 'Enter', does: 'keep the filter' }]
  const schedule = selectedSchedule(own)
  const pause = { key: 'p', does: schedule?.state === 'paused' ? 'resume' : 'pause' }
  const decisions = [{ key: 'e', does: 'edit' }, { key: 'n', does: 'run now' }, pause, { key: 'x', does: 'remove' }]
  const ofOne = schedule === undefined ? [] : decisions
  if (runs !== undefined) return ofOne
  return [
    ...(schedule === undefined ? [] : [{ key: 'Enter', does: 'runs' }]),
    { key: 'a', does: 'add' },
    ...ofOne,
    { key: 'o', does: troubled ? 'all' : 'overdue' },
    { key: '/', does: 'filter' },
  ]
}

function list({ runs }: Pick<SchedulesState, 'runs'>, quiet = false): Effect {
  return { do: 'start', work: { kind: 'list-schedules', runsOf: runs?.schedule, quiet } }
}

function onKey(own: SchedulesState, key: Key, shared: Shared): Next<SchedulesState> {
  if (own.form !== undefined) return keyInForm(own, own.form, key, shared)
  const next = own.runs === undefined ? keyInList(own, key, shared) : keyInRuns(own, own.runs, key, shared)
  return next ?? decisionKey(own, key, shared)
}

function keyInList(own: SchedulesState, key: Key, { room, timeZone }: Shared): Next<SchedulesState> | undefined {
  const shown = shownSchedules(own)
  const moved = listKey(own.list, key, { count: shown.length, rows: room.rows })
  if (moved !== undefined) return stay({ ...own, list: moved })
  if (isText(key, 'a')) return stay({ ...own, form: newForm(timeZone) })
  if (isText(key, 'o')) return stay({ ...own, troubled: !own.troubled, list: { ...own.list, selected: 0 } })
  const schedule = selectedSchedule(own)
  if (!isKey(key, 'enter', 'right') || schedule === undefined) return undefined
  const runs = { schedule: schedule.scheduleId, items: undefined, list: emptyList }
  return stay({ ...own, runs }, list({ runs }))
}

function keyInRuns(own: SchedulesState, runs: ShownRuns, key: Key, { room }: Shared): Next<SchedulesState> | undefined {
  if (isKey(key, 'escape', 'left', 'backspace')) return stay({ ...own, runs: undefined })
  if (isText(key, '/')) return stay(own)
  const moved = listKey(runs.list, key, { count: runs.items?.length ?? 0, rows: room.rows })
  return moved === undefined ? undefined : stay({ ...own, runs: { ...runs, list: moved } })
}

/** Keys about the schedule that is selected, or whose runs are shown. */
function decisionKey(own: SchedulesState, key: Key, shared: Shared): Next<SchedulesState> {
  const schedule = selectedSchedule(own)
  if (schedule === undefined || key.kind !== 'text') return stay(own)
  const { scheduleId, spec, state } = schedule
  if (key.text === 'e') return stay({ ...own, form: formOf(schedule, shared.timeZone) })
  if (key.text === 'n') return stay(own, change({ do: 'run', schedule: scheduleId }, shared))
  if (key.text === 'p') {
    return stay(own, change({ do: state === 'paused' ? 'resume' : 'pause', schedule: scheduleId }, shared))
  }
  if (key.text !== 'x') return stay(own)
  const name = `${isolate(safeText(spec.agent))}:${shownBytes(spec.path)}`
  const text = [`It is backed up no more (${timingText(spec)}). The backups that it has made stay.`]
  const effects = [change({ do: 'remove', schedule: scheduleId }, shared)]
  return stay(own, yesOrNo(`Remove the schedule of ${name}?`, text, { label: 'yes, remove it', effects }))
}

/** One after the other: a change whose answer is not there yet must not be given up for the next. */
function change(act: ScheduleAct, { running }: Shared): Effect {
  if (!running.includes('change-schedule')) return { do: 'start', work: { kind: 'change-schedule', act } }
  return { do: 'tell', text: 'The last change is still under way.', tone: 'warn' }
}

function keyInForm(own: SchedulesState, before: ScheduleForm, key: Key, shared: Shared): Next<SchedulesState> {
  if (isKey(key, 'escape')) return stay({ ...own, form: undefined })
  const { form, spec } = formKey(before, key)
  if (spec === undefined) return stay({ ...own, form })
  if (form.edited !== undefined) {
    return stay({ ...own, form }, change({ do: 'edit', schedule: form.edited.scheduleId, spec }, shared))
  }
  return addOrAsk({ ...own, form }, { form, spec }, shared)
}

function addOrAsk(
  own: SchedulesState,
  { form, spec }: { readonly form: ScheduleForm; readonly spec: ScheduleSpec },
  shared: Shared,
): Next<SchedulesState> {
  const add = change({ do: 'add', spec }, shared)
  // As long as nothing is known of agents, the manager is asked, which says what it does.
  const doubt = own.schedules === undefined ? undefined : scheduleDoubt(spec, own.agents)
  if (doubt === undefined) return stay(own, add)
  // Whoever says no finds the reason where it was typed.
  const problem = { text: `${doubt.text} Type another one.`, position: undefined }
  const ask = yesOrNo('Add it all the same?', [doubt.text, doubt.consequence], {
    label: 'yes, add it',
    effects: [add],
  })
  return stay({ ...own, form: { ...form, field: doubt.about, problem } }, ask)
}

function onNews(own: SchedulesState, news: News, shared: Shared): Next<SchedulesState> {
  switch (news.kind) {
    case 'status':
      // As long as somebody looks: what runs, and what becomes of it.
      if (shared.seen !== 'schedules' || shared.running.includes('list-schedules')) return stay(own)
      return stay(own, list(own, true))
    case 'schedules':
      return stay(withList(own, news))
    case 'schedule-runs':
      if (own.runs?.schedule !== news.schedule) return stay(own)
      return stay({ ...own, runs: { ...own.runs, items: news.runs } })
    case 'schedule-changed':
      return stay({ ...own, form: undefined }, { do: 'tell', text: news.text, tone: 'good' }, list(own))
    case 'ended':
      return ended(own, news)
    default:
      return stay(own)
  }
}

/** The cursor stays on the schedule that it was on, and the runs of one that is gone are closed. */
function withList(
  own: SchedulesState,
  { schedules, more, agents }: Extract<News, { kind: 'schedules' }>,
): SchedulesState {
  const next = { ...own, schedules, more, agents, problem: '' }
  const on = own.runs === undefined ? selectedSchedule(own)?.scheduleId : own.runs.schedule
  const at = shownSchedules(next).findIndex(({ scheduleId }) => scheduleId === on)
  const isGone = own.runs !== undefined && !schedules.some(({ scheduleId }) => scheduleId === own.runs?.schedule)
  return {
    ...next,
    list: at === -1 ? own.list : { ...own.list, selected: at },
    runs: isGone ? undefined : own.runs,
  }
}

function ended(own: SchedulesState, { work, problem }: Extract<News, { kind: 'ended' }>): Next<SchedulesState> {
  if (problem === undefined) return stay(own)
  if (work.kind === 'list-schedules') return stay({ ...own, problem })
  if (work.kind !== 'change-schedule') return stay(own)
  const typed = work.act.do === 'add' || work.act.do === 'edit'
  if (!typed || own.form === undefined) return stay(own, { do: 'tell', text: problem, tone: 'bad' })
  // What was typed is there to be mended.
  return stay({ ...own, form: { ...own.form, problem: { text: problem, position: undefined } } })
}
