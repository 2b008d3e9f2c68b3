/** Between the messages of `schedules.proto` and the plain data of `core`, in the directions that a client needs. */
import { runStates, runTriggers, scheduleStates } from '../core/schedules.ts'
import type { AgentInfo, BackupVersion, Schedule, ScheduleRun, ScheduleSummary } from '../core/schedules.ts'
import type * as wire from '../gen/twofold/v1/schedules.ts'
import { fromWireSizes, fromWireSpec } from '../rpc/schedule-messages.ts'
import { required, toNumber } from './convert.ts'

export function toSchedule(message: wire.Schedule | undefined): Schedule {
  const schedule = required(message, 'schedule')
  const { scheduleId, spec, overdue, failing, problem, failures, activeRun, lastRun } = schedule
  return {
    ...{ scheduleId, overdue, failing, problem, failures },
    spec: fromWireSpec(required(spec, 'spec of a schedule')),
    state: required(scheduleStates[schedule.state - 1], 'state of a schedule'),
    createdAtMs: toNumber(schedule.createdAtMs),
    changedAtMs: toNumber(schedule.changedAtMs),
    nextRunAtMs: toNumber(schedule.nextRunAtMs),
    dueSinceMs: toNumber(schedule.dueSinceMs),
    lastSuccessAtMs: toNumber(schedule.lastSuccessAtMs),
    newestSerial: toNumber(schedule.newestSerial),
    activeRun: activeRun === undefined ? undefined : toRun(activeRun),
    lastRun: lastRun === undefined ? undefined : toRun(lastRun),
  }
}

export function toRun(message: wire.ScheduleRun | undefined): ScheduleRun {
  const run = required(message, 'run')
  const { scheduleId, agent, path, snapshotId, filesUnreadable, attempt } = run
  return {
    ...{ scheduleId, agent, path, snapshotId, filesUnreadable, attempt, message: run.message },
    number: toNumber(run.runNumber),
    state: required(runStates[run.state - 1], 'state of a run'),
    trigger: required(runTriggers[run.trigger - 1], 'trigger of a run'),
    dueAtMs: toNumber(run.dueAtMs),
    startedAtMs: toNumber(run.startedAtMs),
    endedAtMs: toNumber(run.endedAtMs),
    durationMs: toNumber(run.durationMs),
    serial: toNumber(run.serial),
    sizes: fromWireSizes(run.sizes),
  }
}

export function toVersion(version: wire.BackupVersion): BackupVersion {
  const { snapshotId, kept } = version
  return {
    ...{ snapshotId, kept },
    serial: toNumber(version.serial),
    madeAtMs: toNumber(version.madeAtMs),
    checkedAtMs: toNumber(version.checkedAtMs),
    runNumber: toNumber(version.runNumber),
    bytes: toNumber(version.bytes),
  }
}

export function toAgent(agent: wire.AgentInfo): AgentInfo {
  return { ...agent, lastSeenAtMs: toNumber(agent.lastSeenAtMs), clockAheadMs: toNumber(agent.clockAheadMs) }
}

export function toSummary(summary: wire.GetScheduleSummaryResponse): ScheduleSummary {
  return { ...summary, attention: summary.attention.map(toSchedule) }
}
