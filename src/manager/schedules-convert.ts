/**
 * Between the messages of `schedules.proto` and `agents.proto` and the plain data of `core`, as the manager needs it.
 */
import type { AgentPoll, RegisterAgentRequest, RunReport, StartRun } from '../core/agents.ts'
import { TwofoldError } from '../core/errors.ts'
import { runStates, runTriggers, scheduleStates } from '../core/schedules.ts'
import type { AgentInfo, BackupVersion, RunResult, Schedule, ScheduleRun, ScheduleSummary } from '../core/schedules.ts'
import type * as agents from '../gen/twofold/v1/agents.ts'
import type * as wire from '../gen/twofold/v1/schedules.ts'
import { fromWireSizes, safeNumber, toWireSizes, toWireSpec } from '../rpc/schedule-messages.ts'

const whole = (value: number): bigint => BigInt(Math.round(value))

export function fromSchedule(schedule: Schedule): wire.Schedule {
  const { scheduleId, overdue, failing, problem, failures, activeRun, lastRun } = schedule
  return {
    ...{ scheduleId, overdue, failing, problem, failures },
    spec: toWireSpec(schedule.spec),
    state: (scheduleStates.indexOf(schedule.state) + 1) as wire.ScheduleState,
    createdAtMs: whole(schedule.createdAtMs),
    changedAtMs: whole(schedule.changedAtMs),
    nextRunAtMs: whole(schedule.nextRunAtMs),
    dueSinceMs: whole(schedule.dueSinceMs),
    lastSuccessAtMs: whole(schedule.lastSuccessAtMs),
    newestSerial: whole(schedule.newestSerial),
    activeRun: activeRun === undefined ? undefined : fromRun(activeRun),
    lastRun: lastRun === undefined ? undefined : fromRun(lastRun),
  }
}

export function fromRun(run: ScheduleRun): wire.ScheduleRun {
  const { scheduleId, agent, path, snapshotId, filesUnreadable, message, attempt } = run
  return {
    ...{ scheduleId, agent, path, snapshotId, filesUnreadable, message, attempt },
    runNumber: whole(run.number),
    state: (runStates.indexOf(run.state) + 1) as wire.RunState,
    trigger: (runTriggers.indexOf(run.trigger) + 1) as wire.RunTrigger,
    dueAtMs: whole(run.dueAtMs),
    startedAtMs: whole(run.startedAtMs),
    endedAtMs: whole(run.endedAtMs),
    durationMs: whole(run.durationMs),
    serial: whole(run.serial),
    sizes: toWireSizes(run.sizes),
  }
}

export function fromVersion(version: BackupVersion): wire.BackupVersion {
  const { snapshotId, kept } = version
  return {
    ...{ snapshotId, kept },
    serial: whole(version.serial),
    madeAtMs: whole(version.madeAtMs),
    checkedAtMs: whole(version.checkedAtMs),
    runNumber: whole(version.runNumber),
    bytes: whole(version.bytes),
  }
}

export function fromAgent({ allow, hooks, lastSeenAtMs, clockAheadMs, ...rest }: AgentInfo): wire.AgentInfo {
  const times = { lastSeenAtMs: whole(lastSeenAtMs), clockAheadMs: whole(clockAheadMs) }
  return { ...rest, ...times, allow: [...allow], hooks: [...hooks] }
}

export function fromSummary(summary: ScheduleSummary): wire.GetScheduleSummaryResponse {
  return { ...summary, attention: summary.attention.map(fromSchedule) }
}

export function toRegistration(request: agents.RegisterAgentRequest): RegisterAgentRequest {
  return { ...request, timeMs: safeNumber(request.timeMs) }
}

export function toPoll({ registrationNumber, timeMs, running, ...rest }: agents.PollRequest): AgentPoll {
  return {
    ...rest,
    registrationNumber: safeNumber(registrationNumber),
    timeMs: safeNumber(timeMs),
    running: running.map(({ runNumber, attempt, sizes }) => {
      return { number: safeNumber(runNumber), attempt, sizes: fromWireSizes(sizes) }
    }),
  }
}

export function fromStart({ number, attempt, scheduleId, spec }: StartRun): agents.StartRun {
  return { runNumber: whole(number), attempt, scheduleId, spec: toWireSpec(spec) }
}

/** @throws TwofoldError `invalid-argument` for a state that is not an end */
export function toReport(request: agents.ReportRunRequest): RunReport {
  const { registrationNumber, runNumber, state, sizes, durationMs, ...rest } = request
  const end = runStates[state - 1]
  if (end === undefined || end === 'queued' || end === 'running') {
    throw new TwofoldError('invalid-argument', 'a report says how a run ended')
  }
  return {
    ...rest,
    registrationNumber: safeNumber(registrationNumber),
    number: safeNumber(runNumber),
    state: end satisfies RunResult,
    sizes: fromWireSizes(sizes),
    durationMs: safeNumber(durationMs),
  }
}
