import type { CalendarSpan } from '../core/local-time.ts'
import { isEmptyPolicy } from '../core/retention.ts'
import type { RetentionPolicy } from '../core/retention.ts'
import type {
  AgentInfo,
  BackupVersion,
  Schedule,
  ScheduleRun,
  ScheduleSpec,
  ScheduleSummary,
} from '../core/schedules.ts'
import { formatAgo, formatBytes, formatCount, formatDuration, formatTime, plural } from '../core/human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import { isUtf8, safePath, safeText } from '../core/safe-text.ts'
import { formatAhead, stateText, timingText } from '../core/schedule-words.ts'
import { renderTable } from './table.ts'
import type { Column, TableLayout } from './table.ts'

const timeOrNull = (ms: number): string | null => (ms === 0 ? null : jsonTimeMs(ms))

/** A path as text, and as base64 where it is none. */
export function pathRecord(path: Uint8Array): { path: string; path_b64?: string } {
  const text = Buffer.from(path).toString()
  return isUtf8(path) ? { path: text } : { path: text, path_b64: Buffer.from(path).toString('base64') }
}

export function scheduleRecord(schedule: Schedule): object {
  const { spec, activeRun, lastRun } = schedule
  return {
    schedule_id: schedule.scheduleId,
    agent: spec.agent,
    ...pathRecord(spec.path),
    state: schedule.state,
    overdue: schedule.overdue,
    failing: schedule.failing,
    ...(schedule.problem === '' ? {} : { problem: schedule.problem }),
    ...(spec.timing.every === ''
      ? { at: spec.timing.at, time_zone: spec.timing.timeZone || 'UTC' }
      : { every: spec.timing.every }),
    next_run: timeOrNull(schedule.nextRunAtMs),
    due_since: timeOrNull(schedule.dueSinceMs),
    last_success: timeOrNull(schedule.lastSuccessAtMs),
    newest_serial: schedule.newestSerial,
    failures: schedule.failures,
    vault: spec.vault || 'default',
    excludes: spec.excludes,
    exclude_caches: spec.excludeCaches,
    one_file_system: spec.oneFileSystem,
    tags: spec.tags,
    keep: keepRecord(spec.keep),
    before: spec.hookBefore,
    after: spec.hookAfter,
    created: jsonTimeMs(schedule.createdAtMs),
    changed: jsonTimeMs(schedule.changedAtMs),
    active_run: activeRun === undefined ? null : runRecord(activeRun),
    last_run: lastRun === undefined ? null : runRecord(lastRun),
  }
}

function keepRecord({ counts, within, tags }: RetentionPolicy): object {
  const numbers: [string, unknown][] = Object.entries(counts).map(([name, count]) => {
    return [name, count === Infinity ? 'unlimited' : count]
  })
  const spans: [string, unknown][] = Object.entries(within).map(([name, span]) => {
    return [name === 'all' ? 'within' : `within_${name}`, spanText(span)]
  })
  return Object.fromEntries([...numbers, ...spans, ...(tags.length === 0 ? [] : ([['tags', tags]] as const))])
}

function spanText({ years, months, days, hours }: CalendarSpan): string {
  return [`${years}y`, `${months}m`, `${days}d`, `${hours}h`].filter((part) => !part.startsWith('0')).join('')
}

export function runRecord(run: ScheduleRun): object {
  return {
    run: run.number,
    schedule_id: run.scheduleId,
    agent: run.agent,
    ...pathRecord(run.path),
    state: run.state,
    trigger: run.trigger,
    due: jsonTimeMs(run.dueAtMs),
    started: timeOrNull(run.startedAtMs),
    ended: timeOrNull(run.endedAtMs),
    duration: run.durationMs / 1000,
    serial: run.serial,
    snapshot_id: run.snapshotId,
    files: run.sizes.files,
    bytes: run.sizes.bytes,
    files_new: run.sizes.filesNew,
    files_changed: run.sizes.filesChanged,
    bytes_read: run.sizes.readBytes,
    bytes_new: run.sizes.newBytes,
    bytes_stored: run.sizes.storedBytes,
    files_unreadable: run.filesUnreadable,
    message: run.message,
    attempt: run.attempt,
  }
}

export function versionRecord(version: BackupVersion): object {
  return {
    serial: version.serial,
    snapshot_id: version.snapshotId,
    made: jsonTimeMs(version.madeAtMs),
    checked: jsonTimeMs(version.checkedAtMs),
    run: version.runNumber,
    kept: version.kept,
    bytes: version.bytes,
  }
}

export function agentRecord(agent: AgentInfo): object {
  return {
    agent: agent.name,
    connected: agent.connected,
    known: agent.known,
    last_seen: timeOrNull(agent.lastSeenAtMs),
    allow: agent.allow.map((path) => Buffer.from(path).toString()),
    hooks: agent.hooks,
    clock_ahead: agent.clockAheadMs / 1000,
    runs_max: agent.runsMax,
    running: agent.running,
    schedules: agent.schedules,
    host: agent.hostName,
    program_version: agent.programVersion,
  }
}

const scheduleColumns: readonly Column[] = [
  { title: 'Id' },
  { title: 'Agent', spare: 1 },
  { title: 'Path', spare: 2, keep: 'end' },
  { title: 'When', spare: 4 },
  { title: 'State' },
  { title: 'Next', spare: 3 },
  { title: 'Last good', spare: 5 },
  { title: 'Serial', align: 'right', spare: 6 },
]

export function scheduleTable(schedules: readonly Schedule[], nowMs: number, layout: TableLayout): string[] {
  return renderTable(
    scheduleColumns,
    schedules.map((schedule) => [
      schedule.scheduleId.slice(0, 8),
      safeText(schedule.spec.agent),
      safePath(schedule.spec.path),
      timingText(schedule.spec),
      stateText(schedule),
      formatAhead(schedule.nextRunAtMs, nowMs),
      formatAgo(schedule.lastSuccessAtMs, nowMs),
      String(schedule.newestSerial),
    ]),
    layout,
  )
}

const runColumns: readonly Column[] = [
  { title: 'Run', align: 'right' },
  { title: 'Began', spare: 1 },
  { title: 'Why', spare: 5 },
  { title: 'Result' },
  { title: 'Serial', align: 'right', spare: 3 },
  { title: 'Took', align: 'right', spare: 4 },
  { title: 'Files', align: 'right', spare: 6 },
  { title: 'Size', align: 'right', spare: 7 },
  { title: 'New', align: 'right', spare: 8 },
  { title: 'Remark', spare: 2 },
]

export function runTable(runs: readonly ScheduleRun[], layout: TableLayout): string[] {
  return renderTable(
    runColumns,
    runs.map((run) => [
      String(run.number),
      run.startedAtMs === 0 ? '-' : formatTime(run.startedAtMs),
      run.trigger,
      run.state,
      run.serial === 0 ? '-' : String(run.serial),
      run.endedAtMs === 0 ? '-' : formatDuration(run.durationMs),
      formatCount(run.sizes.files),
      formatBytes(run.sizes.bytes),
      formatBytes(run.sizes.newBytes),
      safeText(run.message),
    ]),
    layout,
  )
}

const versionColumns: readonly Column[] = [
  { title: 'Serial', align: 'right' },
  { title: 'Snapshot' },
  { title: 'Made', spare: 1 },
  { title: 'Checked', spare: 3 },
  { title: 'Size', align: 'right', spare: 4 },
  { title: '', spare: 2 },
]

export function versionTable(versions: readonly BackupVersion[], nowMs: number, layout: TableLayout): string[] {
  return renderTable(
    versionColumns,
    versions.map(({ serial, snapshotId, madeAtMs, checkedAtMs, bytes, kept }) => [
      ...[String(serial), snapshotId.slice(0, 8), formatTime(madeAtMs), formatAgo(checkedAtMs, nowMs)],
      ...[formatBytes(bytes), kept ? '' : 'forgotten'],
    ]),
    layout,
  )
}

const agentColumns: readonly Column[] = [
  { title: 'Agent', spare: 1 },
  { title: 'State' },
  { title: 'Seen', spare: 3 },
  { title: 'Allows', spare: 6 },
  { title: 'Hooks', spare: 7 },
  { title: 'Schedules', spare: 4 },
  { title: 'Running', spare: 5 },
  { title: 'Clock', spare: 2 },
]

export function agentTable(agents: readonly AgentInfo[], nowMs: number, layout: TableLayout): string[] {
  return renderTable(
    agentColumns,
    agents.map((agent) => [
      safeText(agent.name),
      agent.connected ? 'connected' : agent.known ? 'away' : 'never seen',
      formatAgo(agent.lastSeenAtMs, nowMs),
      agent.allow.map(safePath).join(' '),
      safeText(agent.hooks.join(' ')),
      String(agent.schedules),
      agent.known ? `${agent.running} of ${agent.runsMax}` : '-',
      clockText(agent.clockAheadMs),
    ]),
    layout,
  )
}

/** How far a clock is off, where that matters. */
export function clockText(aheadMs: number): string {
  if (Math.abs(aheadMs) < 60_000) return 'right'
  return `${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}`
}

/** A schedule in full, for people. */
export function scheduleLines(schedule: Schedule, nowMs: number): string[] {
  const { spec, lastRun, activeRun } = schedule
  const lines: (readonly [string, string])[] = [
    ['Schedule', `${schedule.scheduleId}, ${stateText(schedule)}`],
    ['Backs up', `${safePath(spec.path)} of agent ${safeText(spec.agent)}`],
    ['When', timingText(spec)],
    [
      'Next run',
      schedule.nextRunAtMs === 0 ? 'none' : `${formatTime(schedule.nextRunAtMs)}, ${ahead(schedule, nowMs)}`,
    ],
    ['Last good', schedule.lastSuccessAtMs === 0 ? 'never' : formatAgo(schedule.lastSuccessAtMs, nowMs)],
    ['Newest', schedule.newestSerial === 0 ? 'none yet' : `serial ${schedule.newestSerial}`],
    ['Vault', safeText(spec.vault || 'default')],
    ...optional('Excludes', safeText(spec.excludes.join(' '))),
    ...optional('Tags', safeText(spec.tags.join(' '))),
    ...optional('Keeps', isEmptyPolicy(spec.keep) ? '' : keepText(spec.keep)),
    ...optional('Hooks', hooksText(spec)),
    ...optional('Running', activeRun === undefined ? '' : runText(activeRun)),
    ...optional('Last run', lastRun === undefined ? '' : runText(lastRun)),
    ...optional('Problem', safeText(schedule.problem)),
  ]
  return lines.map(([title, text]) => `${`${title}:`.padEnd(11)}${text}`)
}

const ahead = (schedule: Schedule, nowMs: number): string => formatAhead(schedule.nextRunAtMs, nowMs)

function optional(title: string, text: string): (readonly [string, string])[] {
  return text === '' ? [] : [[title, text]]
}

function keepText(keep: RetentionPolicy): string {
  const entries = Object.entries(keepRecord(keep)).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  return safeText(entries.join(', ').replaceAll('"', ''))
}

function hooksText({ hookBefore, hookAfter }: ScheduleSpec): string {
  const texts = [hookBefore === '' ? '' : `before: ${hookBefore}`, hookAfter === '' ? '' : `after: ${hookAfter}`]
  return safeText(texts.filter((text) => text !== '').join(', '))
}

function runText(run: ScheduleRun): string {
  const size = `${formatCount(run.sizes.files)} files, ${formatBytes(run.sizes.bytes)}`
  return [`run ${run.number} ${run.state}`, size, ...(run.message === '' ? [] : [safeText(run.message)])].join(', ')
}

export function summaryRecord(summary: ScheduleSummary): object {
  const { schedules, paused, waiting, running, overdue, failing, agents, agentsConnected, attention } = summary
  return {
    ...{ schedules, paused, waiting, running, overdue, failing, agents },
    agents_connected: agentsConnected,
    attention: attention.map(({ scheduleId, spec, problem }) => {
      return { schedule_id: scheduleId, agent: spec.agent, ...pathRecord(spec.path), problem }
    }),
  }
}

/** How all schedules are doing; nothing where there are none. */
export function summaryLines(summary: ScheduleSummary): string[] {
  const { schedules, overdue, failing, waiting, agents, agentsConnected, attention } = summary
  if (schedules === 0) return []
  const counts = [
    ...(overdue > 0 ? [`${formatCount(overdue)} overdue`] : []),
    ...(failing > 0 ? [`${formatCount(failing)} failing`] : []),
    ...(waiting > 0 ? [`${formatCount(waiting)} waiting for an agent`] : []),
  ]
  const state = counts.length === 0 ? 'all in time' : counts.join(', ')
  const there = `${formatCount(agentsConnected)} of ${plural(agents, 'agent')} there`
  const named = attention.slice(0, attentionLines).map((schedule) => {
    return `  ${safeText(schedule.spec.agent)}:${safePath(schedule.spec.path)}: ${safeText(schedule.problem)}`
  })
  const more = attention.length > attentionLines ? ['  … "twofold schedule list" has the others'] : []
  return ['', `Schedules:    ${formatCount(schedules)}, ${state}; ${there}`, ...named, ...more]
}

const attentionLines = 10
