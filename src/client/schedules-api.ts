import type { Page } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import type {
  AddScheduleRequest,
  AgentInfo,
  BackupVersion,
  BegunRun,
  EditScheduleRequest,
  GetScheduleRequest,
  ListRunsRequest,
  ListSchedulesRequest,
  ListVersionsRequest,
  RemoveAgentRequest,
  Schedule,
  ScheduleRequest,
  ScheduleRun,
  ScheduleSummary,
} from '../core/schedules.ts'

/**
 * What people ask of the manager about schedules. Meaning, idempotency and errors of each call: `schedules.proto`. Any
 * call may also end in `unavailable` or `deadline-exceeded`; it may be repeated.
 */
export interface SchedulesApi {
  addSchedule(request: AddScheduleRequest, options?: CallOptions): Promise<Schedule>
  editSchedule(request: EditScheduleRequest, options?: CallOptions): Promise<Schedule>
  getSchedule(request: GetScheduleRequest, options?: CallOptions): Promise<Schedule>
  listSchedules(request: ListSchedulesRequest, options?: CallOptions): Promise<Page<Schedule>>
  pauseSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule>
  resumeSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule>
  removeSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule>
  runSchedule(request: ScheduleRequest, options?: CallOptions): Promise<BegunRun>
  cancelRun(request: { number: number; actor: string }, options?: CallOptions): Promise<ScheduleRun>
  listRuns(request: ListRunsRequest, options?: CallOptions): Promise<Page<ScheduleRun>>
  listVersions(request: ListVersionsRequest, options?: CallOptions): Promise<Page<BackupVersion>>
  listAgents(options?: CallOptions): Promise<readonly AgentInfo[]>
  removeAgent(request: RemoveAgentRequest, options?: CallOptions): Promise<AgentInfo>
  getScheduleSummary(options?: CallOptions): Promise<ScheduleSummary>
}
