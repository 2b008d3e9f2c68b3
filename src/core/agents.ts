import type { RunResult, RunSizes, ScheduleSpec } from './schedules.ts'

/** Which process of which agent speaks. */
export interface AgentRef {
  readonly name: string
  /** 32 hexadecimal digits, drawn at its start. */
  readonly instanceId: string
  readonly registrationNumber: number
}

export interface RegisterAgentRequest {
  readonly name: string
  readonly instanceId: string
  readonly allow: readonly Uint8Array[]
  readonly hooks: readonly string[]
  readonly runsMax: number
  readonly timeMs: number
  readonly hostName: string
  readonly programVersion: string
}

export interface AgentRegistration {
  readonly registrationNumber: number
  readonly pollIntervalMs: number
  readonly managerTimeMs: number
}

export interface RunningRun {
  readonly number: number
  readonly attempt: number
  readonly sizes: RunSizes
}

export interface AgentPoll extends AgentRef {
  readonly timeMs: number
  readonly running: readonly RunningRun[]
  /** Whether it stops now. */
  readonly leaving: boolean
}

export interface StartRun {
  readonly number: number
  readonly attempt: number
  readonly scheduleId: string
  readonly spec: ScheduleSpec
}

export interface AgentOrders {
  readonly start: readonly StartRun[]
  readonly cancel: readonly number[]
  readonly pollIntervalMs: number
  readonly managerTimeMs: number
}

export interface RunReport extends AgentRef {
  readonly number: number
  readonly attempt: number
  readonly state: RunResult
  /** Empty unless a version was made or found unchanged. */
  readonly snapshotId: string
  readonly sizes: RunSizes
  readonly filesUnreadable: number
  readonly message: string
  readonly durationMs: number
}
