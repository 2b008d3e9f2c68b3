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
import { SchedulesClient, SchedulesService } from '../gen/twofold/v1/schedules.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import { toWireSpec } from '../rpc/schedule-messages.ts'
import { ManagerCalls } from './manager-calls-remote.ts'
import type { SchedulesApi } from './schedules-api.ts'
import { required } from './convert.ts'
import * as convert from './schedules-convert.ts'

/** The manager's calls about schedules at the other end of gRPC. */
export class SchedulesRemote implements SchedulesApi {
  readonly #calls: ManagerCalls

  /** @param addresses `host:port` each, at least one. */
  constructor(channels: ChannelPool, addresses: readonly string[]) {
    this.#calls = new ManagerCalls(channels, addresses, SchedulesClient)
  }

  async addSchedule({ spec, ...decided }: AddScheduleRequest, options?: CallOptions): Promise<Schedule> {
    const message = { ...identified(decided), spec: toWireSpec(spec) }
    return convert.toSchedule((await this.#calls.call(SchedulesService.addSchedule, message, options)).schedule)
  }

  async editSchedule({ spec, ...decided }: EditScheduleRequest, options?: CallOptions): Promise<Schedule> {
    const message = { ...identified(decided), spec: toWireSpec(spec) }
    return convert.toSchedule((await this.#calls.call(SchedulesService.editSchedule, message, options)).schedule)
  }

  async getSchedule(request: GetScheduleRequest, options?: CallOptions): Promise<Schedule> {
    return convert.toSchedule((await this.#calls.call(SchedulesService.getSchedule, request, options)).schedule)
  }

  async listSchedules(request: ListSchedulesRequest, options?: CallOptions): Promise<Page<Schedule>> {
    const page = await this.#calls.call(SchedulesService.listSchedules, request, options)
    return { items: page.schedules.map(convert.toSchedule), nextPageToken: page.nextPageToken }
  }

  async pauseSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule> {
    const answer = await this.#calls.call(SchedulesService.pauseSchedule, identified(request), options)
    return convert.toSchedule(answer.schedule)
  }

  async resumeSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule> {
    const answer = await this.#calls.call(SchedulesService.resumeSchedule, identified(request), options)
    return convert.toSchedule(answer.schedule)
  }

  async removeSchedule(request: ScheduleRequest, options?: CallOptions): Promise<Schedule> {
    const answer = await this.#calls.call(SchedulesService.removeSchedule, identified(request), options)
    return convert.toSchedule(answer.schedule)
  }

  async runSchedule(request: ScheduleRequest, options?: CallOptions): Promise<BegunRun> {
    const { run, begun } = await this.#calls.call(SchedulesService.runSchedule, identified(request), options)
    return { run: convert.toRun(run), begun }
  }

  async cancelRun({ number, actor }: { number: number; actor: string }, options?: CallOptions): Promise<ScheduleRun> {
    const message = { runNumber: BigInt(number), actor }
    return convert.toRun((await this.#calls.call(SchedulesService.cancelRun, message, options)).run)
  }

  async listRuns(request: ListRunsRequest, options?: CallOptions): Promise<Page<ScheduleRun>> {
    const page = await this.#calls.call(SchedulesService.listRuns, request, options)
    return { items: page.runs.map(convert.toRun), nextPageToken: page.nextPageToken }
  }

  async listVersions(request: ListVersionsRequest, options?: CallOptions): Promise<Page<BackupVersion>> {
    const message = { ...request, serial: BigInt(request.serial) }
    const page = await this.#calls.call(SchedulesService.listVersions, message, options)
    return { items: page.versions.map(convert.toVersion), nextPageToken: page.nextPageToken }
  }

  async listAgents(options?: CallOptions): Promise<readonly AgentInfo[]> {
    return (await this.#calls.call(SchedulesService.listAgents, {}, options)).agents.map(convert.toAgent)
  }

  async removeAgent(request: RemoveAgentRequest, options?: CallOptions): Promise<AgentInfo> {
    const { agent } = await this.#calls.call(SchedulesService.removeAgent, identified(request), options)
    return convert.toAgent(required(agent, 'agent'))
  }

  async getScheduleSummary(options?: CallOptions): Promise<ScheduleSummary> {
    return convert.toSummary(await this.#calls.call(SchedulesService.getScheduleSummary, {}, options))
  }
}

function identified<T extends { readonly requestId?: string | undefined }>(request: T): T & { requestId: string } {
  return { ...request, requestId: request.requestId ?? '' }
}
