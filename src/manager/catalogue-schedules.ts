import type { SnapshotId } from '../core/ids.ts'
import type { ScheduleRun, ScheduleSpec } from '../core/schedules.ts'

/** A schedule, and what of its runs must be known to plan the next one. */
export interface ScheduleRow {
  readonly scheduleId: string
  readonly spec: ScheduleSpec
  readonly paused: boolean
  /** What spans are counted from. */
  readonly anchorMs: number
  readonly createdAtMs: number
  readonly changedAtMs: number
  /** When the next run is due, jitter included; 0 for never. */
  readonly nextRunAtMs: number
  /** Whether that is because the last run failed. */
  readonly retrying: boolean
  /** Number of the run that waits or goes on; 0 for none. */
  readonly activeRun: number
  /** Number of the newest run that is over; 0 for none. */
  readonly lastRun: number
  readonly lastSuccessAtMs: number
  /** How many runs failed one after the other. */
  readonly failures: number
}

/** Of an agent and a path: numbers grow, and are never given twice. */
export interface RunRow extends ScheduleRun {
  /** The agent's registration that it was given to; 0 before. */
  readonly registration: number
  /** Whether somebody wants it to end. */
  readonly cancelled: boolean
}

/** A path of an agent: what serial numbers count. */
export interface Series {
  readonly agent: string
  readonly path: Uint8Array
}

export interface VersionRow extends Series {
  readonly serial: number
  readonly snapshotId: SnapshotId
  readonly madeAtMs: number
  readonly checkedAtMs: number
  readonly runNumber: number
  readonly bytes: number
}

export interface AgentRow {
  readonly name: string
  readonly instanceId: string
  /** Grows with each process of this name. */
  readonly registrationNumber: number
  readonly allow: readonly Uint8Array[]
  readonly hooks: readonly string[]
  readonly runsMax: number
  readonly hostName: string
  readonly programVersion: string
}

/** The parts of a catalogue that schedules need. */
export interface ScheduledReader {
  readonly schedules: ScheduleReader
  readonly runs: RunReader
  readonly versions: VersionReader
  readonly agents: AgentReader
}
export interface ScheduledWriter extends ScheduledReader {
  readonly schedules: ScheduleWriter
  readonly runs: RunWriter
  readonly versions: VersionWriter
  readonly agents: AgentWriter
}

/** What is to run when. At most one schedule of each agent and path. */
export interface ScheduleReader {
  find(scheduleId: string): Promise<ScheduleRow | undefined>
  /** Up to `limit` whose id begins with `prefix`. */
  byPrefix(prefix: string, limit: number): Promise<ScheduleRow[]>
  ofSeries(series: Series): Promise<ScheduleRow | undefined>
  /** By agent and path, after `after`. `agent` empty means all. */
  page(query: { agent: string; after: Series | undefined; limit: number }): Promise<ScheduleRow[]>
  count(): Promise<number>
  /** How many each agent has. */
  countByAgent(): Promise<ReadonlyMap<string, number>>
  /** Those without an active run whose next one is due at `nowMs`, the longest due first. */
  due(nowMs: number, limit: number): Promise<ScheduleRow[]>
}
export interface ScheduleWriter extends ScheduleReader {
  /** Adds it, or replaces what is known of it. */
  put(schedule: ScheduleRow): Promise<void>
  remove(scheduleId: string): Promise<void>
}

export interface RunReader {
  find(number: number): Promise<RunRow | undefined>
  /** Queued and running ones of an agent, the longest due first. */
  active(agent: string): Promise<RunRow[]>
  /** Up to `limit` that are queued, the longest due first. */
  queued(limit: number): Promise<RunRow[]>
  /** How many are running, by agent. */
  runningByAgent(): Promise<ReadonlyMap<string, number>>
  /** The newest first, numbers below `before`. */
  page(query: {
    before: number
    limit: number
    scheduleId?: string
    agent?: string
    path?: Uint8Array
  }): Promise<RunRow[]>
}
export interface RunWriter extends RunReader {
  /** Resolves with its number. */
  add(run: Omit<RunRow, 'number'>): Promise<number>
  update(run: RunRow): Promise<void>
  /** Forgets all runs of a series that are over but for the newest `count`. */
  trim(series: Series, count: number): Promise<void>
}

/** The versions of each series, numbered from 1 without gaps. */
export interface VersionReader {
  newest(series: Series): Promise<VersionRow | undefined>
  /** The newest first, serial numbers below `before`. */
  page(series: Series, before: number, limit: number): Promise<VersionRow[]>
}
export interface VersionWriter extends VersionReader {
  /** Its serial number must be free. */
  add(version: VersionRow): Promise<void>
  checked(series: Series, serial: number, atMs: number): Promise<void>
}

export interface AgentReader {
  find(name: string): Promise<AgentRow | undefined>
  /** By name. */
  all(): Promise<AgentRow[]>
  /** The registration that a process has, or had before a newer one. */
  instance(instanceId: string): Promise<{ name: string; registrationNumber: number } | undefined>
}
export interface AgentWriter extends AgentReader {
  /**
   * Adds the agent, or replaces what is known of it, and remembers its process, also of the `agentProcessesKept` last
   * ones of that name.
   */
  put(agent: AgentRow): Promise<void>
  /** Forgets it, and all its processes. */
  remove(name: string): Promise<void>
}
