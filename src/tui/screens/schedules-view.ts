import { formatBytes, formatCount, formatDuration, formatTime, plural } from '../../core/human-format.ts'
import { isolate, safePath, safeText } from '../../core/safe-text.ts'
import { formatAhead, stateText, timingText } from '../../core/schedule-words.ts'
import type { RunState, Schedule, ScheduleRun, ScheduleSummary } from '../../core/schedules.ts'
import { cutText } from '../../core/text-width.ts'
import { shownBytes } from '../byte-path.ts'
import type { ListState } from '../folder-list.ts'
import { shortAgo } from '../health.ts'
import { clampTo } from '../list-cursor.ts'
import { emptyLine, line, span, wrapText } from '../lines.ts'
import type { Line, Span, Tone } from '../lines.ts'
import type { Shared } from '../screen.ts'
import { scrollStart, tableLines } from '../table.ts'
import type { Column } from '../table.ts'
import { fieldText } from '../text-field.ts'
import type { ScheduleForm } from './schedule-form.ts'
import { scheduleFormLines } from './schedule-form-view.ts'

interface Shown {
  readonly schedules: readonly Schedule[] | undefined
  readonly more: boolean
  readonly agents: Parameters<typeof scheduleFormLines>[1]
  readonly problem: string
  readonly list: ListState
  readonly troubled: boolean
  readonly runs: ShownRuns | undefined
  readonly form: ScheduleForm | undefined
}

interface ShownRuns {
  readonly schedule: string
  readonly items: readonly ScheduleRun[] | undefined
  readonly list: ListState
}

/** Lines below a table, about the row that is selected. */
const aboutRows = 3

export function schedulesView(own: Shown, shared: Shared, schedules: readonly Schedule[]): Line[] {
  if (own.form !== undefined) return scheduleFormLines(own.form, own.agents, shared)
  const schedule = own.schedules?.find(({ scheduleId }) => scheduleId === own.runs?.schedule)
  const lines = (runs: ShownRuns): Line[] => (schedule === undefined ? [] : runLines(schedule, runs, shared))
  return own.runs === undefined ? listLines(own, schedules, shared) : lines(own.runs)
}

const right = 'right' as const
const scheduleColumns: readonly Column[] = [
  { title: 'Agent' },
  { title: 'Path', grows: true, keepEnd: true },
  { title: 'When' },
  { title: 'State', least: 7 },
  { title: 'Next', least: 9 },
  { title: 'Last run', least: 9 },
  { title: 'Serial', align: right, dispensable: 1 },
]
const agentMost = 16
const whenMost = 16

function listLines(own: Shown, shown: readonly Schedule[], { feed, room, nowMs, spinner }: Shared): Line[] {
  const { schedules, more, problem, list, troubled } = own
  const top = [
    ...summaryLine(feed.schedules),
    ...(list.typing ? [line(span(' Filter: ', 'accent'), span(fieldText(list.filter, room.columns - 10)))] : []),
    ...(!list.typing && list.filter !== '' ? [line(span(` Filter: ${safeText(list.filter)}`, 'accent'))] : []),
    ...(troubled ? [line(span(' Only what is overdue or failing: o shows all', 'accent'))] : []),
    ...(problem === '' ? [] : wrapText(safeText(problem), room.columns).map((text) => line(span(text, 'bad')))),
  ]
  if (schedules === undefined) {
    return problem === '' ? [...top, line(span(`${spinner} asking for the schedules …`, 'dim'))] : top
  }
  if (shown.length === 0) return [...top, line(span(nothingText(own), 'dim'))]
  const end = more ? [line(span('  … there are more: twofold schedule list --agent NAME', 'dim'))] : []
  const rows = Math.max(1, room.rows - 2 - top.length - end.length - aboutRows)
  const selected = clampTo(list.selected, shown.length)
  const start = scrollStart({ selected, count: shown.length, rows })
  const part = shown.slice(start, start + rows)
  const table = tableLines({
    columns: scheduleColumns,
    rows: part.map((each, at) => ({ cells: scheduleCells(each, nowMs), selected: start + at === selected })),
    width: room.columns,
  })
  const chosen = shown[selected]
  return [...top, ...table, ...end, emptyLine, ...(chosen === undefined ? [] : aboutLines(chosen, room.columns, nowMs))]
}

function nothingText({ list, troubled, schedules }: Shown): string {
  if (schedules?.length === 0) return 'There are no schedules yet: a adds one.'
  return troubled && list.filter === '' ? 'Nothing is overdue, and nothing fails.' : 'Nothing matches.'
}

function summaryLine(summary: ScheduleSummary | undefined): Line[] {
  if (summary === undefined || summary.schedules + summary.agents === 0) return []
  const { schedules, overdue, failing, paused, waiting, running, agents, agentsConnected } = summary
  const count = (number: number, word: string, tone: Tone): Span[] =>
    number === 0 ? [] : [span(', '), span(`${formatCount(number)} ${word}`, tone)]
  return [
    line(
      span(` ${plural(schedules, 'schedule')}`, 'strong'),
      ...count(overdue, 'overdue', 'bad'),
      ...count(failing, 'failing', 'bad'),
      ...count(running, 'running', 'accent'),
      ...count(waiting, 'waiting for an agent', 'warn'),
      ...count(paused, 'paused', 'plain'),
      span(`; ${formatCount(agentsConnected)} of ${plural(agents, 'agent')} there`, 'dim'),
    ),
  ]
}

const runTones: Readonly<Record<RunState, Tone>> = {
  queued: 'accent',
  running: 'accent',
  saved: 'good',
  unchanged: 'good',
  failed: 'bad',
  refused: 'bad',
  cancelled: 'warn',
}

function scheduleCells(schedule: Schedule, nowMs: number): Span[] {
  const { spec, state, overdue, failing, nextRunAtMs, activeRun, lastRun, newestSerial } = schedule
  const [word, tone]: [string, Tone] = overdue
    ? ['overdue', 'bad']
    : failing
      ? ['failing', 'bad']
      : [state, state === 'waiting' ? 'warn' : state === 'paused' || state === 'idle' ? 'plain' : 'accent']
  const run = activeRun ?? lastRun
  const last =
    run === undefined ? '-' : run.endedAtMs === 0 ? run.state : `${run.state} ${shortAgo(run.endedAtMs, nowMs)}`
  return [
    span(isolate(cutText(safeText(spec.agent), agentMost))),
    span(isolate(safePath(spec.path))),
    span(cutText(timingText(spec), whenMost), 'dim'),
    span(state === 'paused' ? 'paused' : word, state === 'paused' && !failing ? 'warn' : tone),
    span(formatAhead(nextRunAtMs, nowMs)),
    span(last, run === undefined ? 'dim' : runTones[run.state]),
    span(newestSerial === 0 ? '-' : String(newestSerial)),
  ]
}

function factsText(schedule: Schedule, nowMs: number): string {
  const { spec, nextRunAtMs, newestSerial, lastSuccessAtMs } = schedule
  const parts = [
    timingText(spec),
    stateText(schedule),
    nextRunAtMs === 0 ? '' : `next ${formatAhead(nextRunAtMs, nowMs)}`,
    newestSerial === 0 ? '' : `serial ${newestSerial}`,
    `last good ${shortAgo(lastSuccessAtMs, nowMs)}`,
    spec.excludes.length === 0 ? '' : `without ${safeText(spec.excludes.join(' '))}`,
    spec.tags.length === 0 ? '' : `tags ${safeText(spec.tags.join(' '))}`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function aboutLines(schedule: Schedule, columns: number, nowMs: number): Line[] {
  const { spec, problem } = schedule
  const [first = '', second = ''] = wrapText(safeText(problem), columns - 2)
  return [
    line(span(' ', 'dim'), span(`${isolate(safeText(spec.agent))}:${shownBytes(spec.path)}`, 'strong')),
    line(span(`  ${factsText(schedule, nowMs)}`, 'dim')),
    ...[first, second].filter((text) => text !== '').map((text) => line(span(`  ${text}`, 'warn'))),
  ].slice(0, aboutRows)
}

const runColumns: readonly Column[] = [
  { title: 'Run', align: right },
  { title: 'Began' },
  { title: 'Why', dispensable: 3 },
  { title: 'Result' },
  { title: 'Serial', align: right },
  { title: 'Took', align: right, dispensable: 2 },
  { title: 'Files', align: right, dispensable: 4 },
  { title: 'Size', align: right },
  { title: 'New', align: right },
  { title: 'Remark', grows: true, dispensable: 5 },
]

function runLines(schedule: Schedule, { items, list }: ShownRuns, { room, nowMs, spinner }: Shared): Line[] {
  const { spec } = schedule
  const head = [
    line(span(' Runs of ', 'strong'), span(`${isolate(safeText(spec.agent))}:${shownBytes(spec.path)}`, 'strong')),
    line(span(` ${factsText(schedule, nowMs)}`, 'dim')),
    emptyLine,
  ]
  if (items === undefined) return [...head, line(span(`${spinner} asking for its runs …`, 'dim'))]
  if (items.length === 0) return [...head, line(span(' It has not run yet: n has it run now.', 'dim'))]
  const rows = Math.max(1, room.rows - head.length - 1 - aboutRows)
  const selected = clampTo(list.selected, items.length)
  const start = scrollStart({ selected, count: items.length, rows })
  const table = tableLines({
    columns: runColumns,
    rows: items
      .slice(start, start + rows)
      .map((run, at) => ({ cells: runCells(run), selected: start + at === selected })),
    width: room.columns,
  })
  const remark = items[selected]?.message ?? ''
  const about = wrapText(safeText(remark), room.columns - 2).slice(0, aboutRows - 1)
  return [...head, ...table, emptyLine, ...about.map((text) => line(span(`  ${text}`, 'warn')))]
}

function runCells(run: ScheduleRun): Span[] {
  const { number, startedAtMs, endedAtMs, trigger, state, serial, durationMs, sizes, message } = run
  return [
    span(String(number)),
    span(startedAtMs === 0 ? '-' : formatTime(startedAtMs), 'dim'),
    span(trigger, 'dim'),
    span(state, runTones[state]),
    span(serial === 0 ? '-' : String(serial)),
    span(endedAtMs === 0 ? '-' : formatDuration(durationMs)),
    span(formatCount(sizes.files)),
    span(formatBytes(sizes.bytes)),
    span(formatBytes(sizes.newBytes)),
    span(safeText(message)),
  ]
}
