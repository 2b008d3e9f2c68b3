import { agentProcessesKept } from '../../core/schedule-limits.ts'
import type { RunSizes, RunState, RunTrigger } from '../../core/schedules.ts'
import { decodeByteList, encodeByteList } from '../byte-list.ts'
import type {
  AgentRow,
  AgentWriter,
  RunRow,
  RunWriter,
  ScheduleRow,
  ScheduleWriter,
  VersionRow,
  VersionWriter,
} from '../catalogue-schedules.ts'
import { specFromFields, specToFields } from '../schedules/stored-spec.ts'
import type { Statements } from './statements.ts'

interface StoredSchedule {
  readonly schedule_id: string
  readonly spec: string
  readonly paused: number
  readonly anchor_ms: number
  readonly created_at_ms: number
  readonly changed_at_ms: number
  readonly next_run_at_ms: number
  readonly retrying: number
  readonly active_run: number
  readonly last_run: number
  readonly last_success_at_ms: number
  readonly failures: number
}

function toSchedule(row: StoredSchedule): ScheduleRow {
  return {
    scheduleId: row.schedule_id,
    spec: specFromFields(JSON.parse(row.spec) as Record<string, unknown>),
    paused: row.paused === 1,
    anchorMs: row.anchor_ms,
    createdAtMs: row.created_at_ms,
    changedAtMs: row.changed_at_ms,
    nextRunAtMs: row.next_run_at_ms,
    retrying: row.retrying === 1,
    activeRun: row.active_run,
    lastRun: row.last_run,
    lastSuccessAtMs: row.last_success_at_ms,
    failures: row.failures,
  }
}

export function scheduleTable(db: Statements): ScheduleWriter {
  const one = (row: StoredSchedule | undefined): ScheduleRow | undefined =>
    row === undefined ? undefined : toSchedule(row)
  const all = (rows: StoredSchedule[]): ScheduleRow[] => rows.map(toSchedule)
  return {
    find: async (id) => one(db.get<StoredSchedule>('SELECT * FROM schedules WHERE schedule_id = ?', id)),
    async byPrefix(prefix, limit) {
      const sql = 'SELECT * FROM schedules WHERE schedule_id >= ? AND schedule_id < ? ORDER BY schedule_id LIMIT ?'
      return all(db.all<StoredSchedule>(sql, prefix, `${prefix}g`, limit))
    },
    async ofSeries({ agent, path }) {
      return one(db.get<StoredSchedule>('SELECT * FROM schedules WHERE agent = ? AND path = ?', agent, path))
    },
    async page({ agent, after, limit }) {
      const from = after ?? { agent: '', path: new Uint8Array(0) }
      const sql = `SELECT * FROM schedules WHERE (agent, path) > (?, ?) AND (? = '' OR agent = ?)
        ORDER BY agent, path LIMIT ?`
      return all(db.all<StoredSchedule>(sql, from.agent, from.path, agent, agent, limit))
    },
    count: async () => db.get<{ count: number }>('SELECT count(*) AS count FROM schedules')?.count ?? 0,
    async countByAgent() {
      const sql = 'SELECT agent, count(*) AS count FROM schedules GROUP BY agent'
      return new Map(db.all<{ agent: string; count: number }>(sql).map(({ agent, count }) => [agent, count]))
    },
    async due(nowMs, limit) {
      const sql = `SELECT * FROM schedules WHERE active_run = 0 AND next_run_at_ms > 0 AND next_run_at_ms <= ?
        ORDER BY next_run_at_ms LIMIT ?`
      return all(db.all<StoredSchedule>(sql, nowMs, limit))
    },
    async put(row) {
      const sql = `INSERT OR REPLACE INTO schedules (schedule_id, agent, path, spec, paused, anchor_ms, created_at_ms,
        changed_at_ms, next_run_at_ms, retrying, active_run, last_run, last_success_at_ms, failures)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      const { spec } = row
      const decided = [JSON.stringify(specToFields(spec)), row.paused ? 1 : 0, row.anchorMs, row.createdAtMs] as const
      const next = [row.changedAtMs, row.nextRunAtMs, row.retrying ? 1 : 0] as const
      const runs = [row.activeRun, row.lastRun, row.lastSuccessAtMs, row.failures] as const
      db.run(sql, row.scheduleId, spec.agent, spec.path, ...decided, ...next, ...runs)
    },
    async remove(scheduleId) {
      db.run('DELETE FROM schedules WHERE schedule_id = ?', scheduleId)
    },
  }
}

interface StoredRun {
  readonly number: number
  readonly schedule_id: string
  readonly agent: string
  readonly path: Uint8Array
  readonly state: RunState
  readonly trigger: RunTrigger
  readonly due_at_ms: number
  readonly started_at_ms: number
  readonly ended_at_ms: number
  readonly duration_ms: number
  readonly serial: number
  readonly snapshot_id: string
  readonly sizes: string
  readonly files_unreadable: number
  readonly message: string
  readonly attempt: number
  readonly registration: number
  readonly cancelled: number
}

function toRun(row: StoredRun): RunRow {
  return {
    number: row.number,
    scheduleId: row.schedule_id,
    agent: row.agent,
    path: row.path,
    state: row.state,
    trigger: row.trigger,
    dueAtMs: row.due_at_ms,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    durationMs: row.duration_ms,
    serial: row.serial,
    snapshotId: row.snapshot_id,
    sizes: JSON.parse(row.sizes) as RunSizes,
    filesUnreadable: row.files_unreadable,
    message: row.message,
    attempt: row.attempt,
    registration: row.registration,
    cancelled: row.cancelled === 1,
  }
}

type RunValue = string | number | Uint8Array

/** In the order of `runColumns`. */
function runValues(run: Omit<RunRow, 'number'>): RunValue[] {
  const { scheduleId, agent, path, state, trigger, dueAtMs, startedAtMs, endedAtMs, durationMs, serial } = run
  const first = [scheduleId, agent, path, state, trigger, dueAtMs, startedAtMs, endedAtMs, durationMs, serial]
  const { snapshotId, sizes, filesUnreadable, message, attempt, registration, cancelled } = run
  const rest = [snapshotId, JSON.stringify(sizes), filesUnreadable, message, attempt, registration, cancelled ? 1 : 0]
  return [...first, ...rest]
}

const runColumns = [
  ...['schedule_id', 'agent', 'path', 'state', 'trigger', 'due_at_ms', 'started_at_ms', 'ended_at_ms', 'duration_ms'],
  ...['serial', 'snapshot_id', 'sizes', 'files_unreadable', 'message', 'attempt', 'registration', 'cancelled'],
]
const runValuesOf = runColumns.map(() => '?').join(', ')
const runsInsert = `INSERT INTO schedule_runs (${runColumns.join(', ')}) VALUES (${runValuesOf})`
const runsUpdate = `UPDATE schedule_runs SET ${runColumns.map((name) => `${name} = ?`).join(', ')} WHERE number = ?`
const activeStates = "state IN ('queued', 'running')"

export function runTable(db: Statements): RunWriter {
  const all = (sql: string, ...values: RunValue[]): RunRow[] => db.all<StoredRun>(sql, ...values).map(toRun)
  return {
    find: async (number) => all('SELECT * FROM schedule_runs WHERE number = ?', number)[0],
    async active(agent) {
      return all(`SELECT * FROM schedule_runs WHERE agent = ? AND ${activeStates} ORDER BY due_at_ms, number`, agent)
    },
    async queued(limit) {
      return all("SELECT * FROM schedule_runs WHERE state = 'queued' ORDER BY due_at_ms, number LIMIT ?", limit)
    },
    async runningByAgent() {
      const sql = "SELECT agent, count(*) AS count FROM schedule_runs WHERE state = 'running' GROUP BY agent"
      return new Map(db.all<{ agent: string; count: number }>(sql).map(({ agent, count }) => [agent, count]))
    },
    async page({ before, limit, scheduleId, agent, path }) {
      const end = 'number < ? ORDER BY number DESC LIMIT ?'
      const from = 'SELECT * FROM schedule_runs WHERE'
      if (scheduleId !== undefined) return all(`${from} schedule_id = ? AND ${end}`, scheduleId, before, limit)
      if (agent === undefined) return all(`${from} ${end}`, before, limit)
      if (path === undefined) return all(`${from} agent = ? AND ${end}`, agent, before, limit)
      return all(`${from} agent = ? AND path = ? AND ${end}`, agent, path, before, limit)
    },
    add: async (run) => db.run(runsInsert, ...runValues(run)).rowNumber,
    async update(run) {
      db.run(runsUpdate, ...runValues(run), run.number)
    },
    async trim({ agent, path }, count) {
      const sql = `DELETE FROM schedule_runs WHERE agent = ? AND path = ? AND NOT (${activeStates}) AND number <=
        (SELECT number FROM schedule_runs WHERE agent = ? AND path = ? AND NOT (${activeStates})
          ORDER BY number DESC LIMIT 1 OFFSET ?)`
      db.run(sql, agent, path, agent, path, count)
    },
  }
}

const versionColumns = `SELECT agent, path, serial, snapshot_id AS snapshotId, made_at_ms AS madeAtMs,
  checked_at_ms AS checkedAtMs, run_number AS runNumber, bytes FROM backup_versions`

export function versionTable(db: Statements): VersionWriter {
  const series = 'WHERE agent = ? AND path = ?'
  return {
    async newest({ agent, path }) {
      return db.get<VersionRow>(`${versionColumns} ${series} ORDER BY serial DESC LIMIT 1`, agent, path)
    },
    async page({ agent, path }, before, limit) {
      const sql = `${versionColumns} ${series} AND serial < ? ORDER BY serial DESC LIMIT ?`
      return db.all<VersionRow>(sql, agent, path, before, limit)
    },
    async add({ agent, path, serial, snapshotId, madeAtMs, checkedAtMs, runNumber, bytes }) {
      const sql = 'INSERT INTO backup_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
      db.run(sql, agent, path, serial, snapshotId, madeAtMs, checkedAtMs, runNumber, bytes)
    },
    async checked({ agent, path }, serial, atMs) {
      const sql = 'UPDATE backup_versions SET checked_at_ms = ? WHERE agent = ? AND path = ? AND serial = ?'
      db.run(sql, atMs, agent, path, serial)
    },
  }
}

interface StoredAgent {
  readonly name: string
  readonly instance_id: string
  readonly registration_number: number
  readonly allow: Uint8Array
  readonly hooks: string
  readonly runs_max: number
  readonly host_name: string
  readonly program_version: string
}

function toAgent(row: StoredAgent): AgentRow {
  return {
    name: row.name,
    instanceId: row.instance_id,
    registrationNumber: row.registration_number,
    allow: decodeByteList(row.allow),
    hooks: JSON.parse(row.hooks) as string[],
    runsMax: row.runs_max,
    hostName: row.host_name,
    programVersion: row.program_version,
  }
}

export function agentTable(db: Statements): AgentWriter {
  return {
    find: async (name) => db.all<StoredAgent>('SELECT * FROM agents WHERE name = ?', name).map(toAgent)[0],
    all: async () => db.all<StoredAgent>('SELECT * FROM agents ORDER BY name').map(toAgent),
    async instance(instanceId) {
      const sql = 'SELECT name, registration_number AS registrationNumber FROM agent_instances WHERE instance_id = ?'
      return db.get<{ name: string; registrationNumber: number }>(sql, instanceId)
    },
    async put({ name, instanceId, registrationNumber, allow, hooks, runsMax, hostName, programVersion }) {
      const about = [encodeByteList(allow), JSON.stringify(hooks), runsMax, hostName, programVersion] as const
      const sql = 'INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
      db.run(sql, name, instanceId, registrationNumber, ...about)
      db.run('INSERT OR REPLACE INTO agent_instances VALUES (?, ?, ?)', instanceId, name, registrationNumber)
      const old = 'DELETE FROM agent_instances WHERE name = ? AND registration_number <= ?'
      db.run(old, name, registrationNumber - agentProcessesKept)
    },
    async remove(name) {
      db.run('DELETE FROM agents WHERE name = ?', name)
      db.run('DELETE FROM agent_instances WHERE name = ?', name)
    },
  }
}
