import type { PageRequest } from './messages.ts'
import type { RetentionPolicy } from './retention.ts'

/** When a schedule runs, as a person wrote it: `schedule-timing.ts` reads it. Either `every` or `at` is not empty. */
export interface ScheduleTiming {
  /** A span: `15m`, `1h30m`. */
  readonly every: string
  /** A calendar expression, or the five fields of cron. */
  readonly at: string
  /** IANA name for `at`; empty means UTC. */
  readonly timeZone: string
}

/** What a person decides about a schedule. `schedules.proto` has the meaning of every field. */
export interface ScheduleSpec {
  readonly agent: string
  /** Absolute, as bytes. */
  readonly path: Uint8Array
  readonly timing: ScheduleTiming
  /** Empty means `default`. */
  readonly vault: string
  readonly excludes: readonly string[]
  readonly excludeCaches: boolean
  readonly oneFileSystem: boolean
  readonly tags: readonly string[]
  readonly keep: RetentionPolicy
  /** Names of commands that the agent allows; empty for none. */
  readonly hookBefore: string
  readonly hookAfter: string
}

export const scheduleStates = ['waiting', 'idle', 'queued', 'running', 'paused'] as const
export type ScheduleState = (typeof scheduleStates)[number]

export const runStates = ['queued', 'running', 'saved', 'unchanged', 'failed', 'refused', 'cancelled'] as const
export type RunState = (typeof runStates)[number]
/** How a run can end. */
export type RunResult = Exclude<RunState, 'queued' | 'running'>

export const runTriggers = ['due', 'missed', 'retry', 'manual'] as const
export type RunTrigger = (typeof runTriggers)[number]

export interface RunSizes {
  readonly files: number
  readonly bytes: number
  readonly filesNew: number
  readonly filesChanged: number
  readonly readBytes: number
  readonly newBytes: number
  readonly storedBytes: number
}

export const noSizes: RunSizes = {
  files: 0,
  bytes: 0,
  filesNew: 0,
  filesChanged: 0,
  readBytes: 0,
  newBytes: 0,
  storedBytes: 0,
}

export interface ScheduleRun {
  readonly number: number
  readonly scheduleId: string
  readonly agent: string
  readonly path: Uint8Array
  readonly state: RunState
  readonly trigger: RunTrigger
  readonly dueAtMs: number
  /** 0 for not yet. */
  readonly startedAtMs: number
  /** 0 for not yet. */
  readonly endedAtMs: number
  readonly durationMs: number
  /** Of the version that was the newest after it; 0 before there is any. */
  readonly serial: number
  /** Empty unless it made a version or found it unchanged. */
  readonly snapshotId: string
  readonly sizes: RunSizes
  readonly filesUnreadable: number
  readonly message: string
  readonly attempt: number
}

/** A schedule and how it is doing. */
export interface Schedule {
  readonly scheduleId: string
  readonly spec: ScheduleSpec
  readonly state: ScheduleState
  readonly overdue: boolean
  readonly failing: boolean
  /** Why it needs attention; empty when it does not. */
  readonly problem: string
  readonly createdAtMs: number
  readonly changedAtMs: number
  /** 0 while it is paused. */
  readonly nextRunAtMs: number
  /** 0 for none. */
  readonly dueSinceMs: number
  /** 0 for never. */
  readonly lastSuccessAtMs: number
  /** 0 for none. */
  readonly newestSerial: number
  readonly failures: number
  readonly activeRun: ScheduleRun | undefined
  readonly lastRun: ScheduleRun | undefined
}

/** A backup whose content was another one than before. */
export interface BackupVersion {
  readonly serial: number
  readonly snapshotId: string
  readonly madeAtMs: number
  /** When the source was last found to be the same. */
  readonly checkedAtMs: number
  readonly runNumber: number
  /** Whether the snapshot is still there: not forgotten. */
  readonly kept: boolean
  readonly bytes: number
}

export interface AgentInfo {
  readonly name: string
  readonly connected: boolean
  /** Whether it ever registered. */
  readonly known: boolean
  /** 0 for never since the manager started. */
  readonly lastSeenAtMs: number
  readonly allow: readonly Uint8Array[]
  readonly hooks: readonly string[]
  /** Negative when its clock is behind the manager's. */
  readonly clockAheadMs: number
  readonly runsMax: number
  readonly running: number
  readonly schedules: number
  readonly hostName: string
  readonly programVersion: string
}

export interface ScheduleSummary {
  readonly schedules: number
  readonly paused: number
  readonly waiting: number
  readonly running: number
  readonly overdue: number
  readonly failing: number
  readonly agentsConnected: number
  readonly agents: number
  /** Those that need attention: the first 100. */
  readonly attention: readonly Schedule[]
}

/** Of a decision: who takes it, and an id by which a repetition is recognised. */
export interface Decided {
  readonly actor: string
  /** Empty or absent for none. */
  readonly requestId?: string | undefined
}

export interface RemoveAgentRequest extends Decided {
  readonly agent: string
}

export interface AddScheduleRequest extends Decided {
  readonly spec: ScheduleSpec
}

/** Names a schedule: an id, its beginning, or `AGENT:PATH`. */
export interface ScheduleRequest extends Decided {
  readonly schedule: string
}

export interface EditScheduleRequest extends ScheduleRequest {
  readonly spec: ScheduleSpec
}

/** One schedule by its reference, or by agent and path where that is no text. */
export interface GetScheduleRequest {
  readonly schedule: string
  readonly agent: string
  readonly path: Uint8Array
}

export interface BegunRun {
  readonly run: ScheduleRun
  /** Whether it was begun by this call. */
  readonly begun: boolean
}

export interface ListSchedulesRequest extends PageRequest {
  /** Empty means all. */
  readonly agent: string
}

export interface ListRunsRequest extends PageRequest {
  /** Empty means all. */
  readonly schedule: string
  readonly agent: string
  readonly path: Uint8Array
}

export interface ListVersionsRequest extends PageRequest {
  readonly agent: string
  readonly path: Uint8Array
  /** 0 means all. */
  readonly serial: number
}
