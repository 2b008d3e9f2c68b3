import { SchedulesService } from '../gen/twofold/v1/schedules.ts'
import type { SchedulesServer } from '../gen/twofold/v1/schedules.ts'
import { unaryHandler } from '../rpc/handlers.ts'
import { fromWireSpec, safeNumber } from '../rpc/schedule-messages.ts'
import type { ServiceMount } from '../rpc/server.ts'
import * as convert from './schedules-convert.ts'
import type { Schedules } from './schedules/schedules.ts'

/** The calls about schedules behind gRPC: translation and nothing else. */
export function schedulesService(schedules: Schedules): ServiceMount {
  const implementation: SchedulesServer = { ...decisionCalls(schedules), ...runCalls(schedules), ...lists(schedules) }
  return { definition: SchedulesService, implementation }
}

type Decisions = 'addSchedule' | 'editSchedule' | 'pauseSchedule' | 'resumeSchedule' | 'removeSchedule' | 'removeAgent'

function decisionCalls(schedules: Schedules): Pick<SchedulesServer, Decisions> {
  return {
    addSchedule: unaryHandler(async (request, options) => {
      const asked = { ...request, spec: fromWireSpec(request.spec) }
      return { schedule: convert.fromSchedule(await schedules.addSchedule(asked, options)) }
    }),
    editSchedule: unaryHandler(async (request, options) => {
      const asked = { ...request, spec: fromWireSpec(request.spec) }
      return { schedule: convert.fromSchedule(await schedules.editSchedule(asked, options)) }
    }),
    pauseSchedule: unaryHandler(async (request, options) => ({
      schedule: convert.fromSchedule(await schedules.pauseSchedule(request, options)),
    })),
    resumeSchedule: unaryHandler(async (request, options) => ({
      schedule: convert.fromSchedule(await schedules.resumeSchedule(request, options)),
    })),
    removeSchedule: unaryHandler(async (request, options) => ({
      schedule: convert.fromSchedule(await schedules.removeSchedule(request, options)),
    })),
    removeAgent: unaryHandler(async (request, options) => ({
      agent: convert.fromAgent(await schedules.removeAgent(request, options)),
    })),
  }
}

function runCalls(schedules: Schedules): Pick<SchedulesServer, 'runSchedule' | 'cancelRun'> {
  return {
    runSchedule: unaryHandler(async (request, options) => {
      const { run, begun } = await schedules.runSchedule(request, options)
      return { run: convert.fromRun(run), begun }
    }),
    cancelRun: unaryHandler(async ({ runNumber, actor }, options) => {
      const asked = { number: safeNumber(runNumber), actor }
      return { run: convert.fromRun(await schedules.cancelRun(asked, options)) }
    }),
  }
}

type Lists = 'getSchedule' | 'listSchedules' | 'listRuns' | 'listVersions' | 'listAgents' | 'getScheduleSummary'

function lists(schedules: Schedules): Pick<SchedulesServer, Lists> {
  return {
    getSchedule: unaryHandler(async (request, options) => ({
      schedule: convert.fromSchedule(await schedules.getSchedule(request, options)),
    })),
    listSchedules: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await schedules.listSchedules(request, options)
      return { schedules: items.map(convert.fromSchedule), nextPageToken }
    }),
    listRuns: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await schedules.listRuns(request, options)
      return { runs: items.map(convert.fromRun), nextPageToken }
    }),
    listVersions: unaryHandler(async (request, options) => {
      const asked = { ...request, serial: safeNumber(request.serial) }
      const { items, nextPageToken } = await schedules.listVersions(asked, options)
      return { versions: items.map(convert.fromVersion), nextPageToken }
    }),
    listAgents: unaryHandler(async (_, options) => ({
      agents: (await schedules.listAgents(options)).map(convert.fromAgent),
    })),
    getScheduleSummary: unaryHandler(async (_, options) =>
      convert.fromSummary(await schedules.getScheduleSummary(options)),
    ),
  }
}
