import type { AgentsApi } from '../../src/client/agents-api.ts'
import type { SchedulesApi } from '../../src/client/schedules-api.ts'
import type { ManagerCall } from './manager-port.ts'

/** A manager's calls about schedules, of people and of agents: every call takes its way through `ask`. */
export function schedulePort(ask: ManagerCall): SchedulesApi & AgentsApi {
  return {
    addSchedule: (request, options) =>
      ask('addSchedule', options, (api, o) => api.scheduling.schedules.addSchedule(request, o)),
    editSchedule: (request, options) =>
      ask('editSchedule', options, (api, o) => api.scheduling.schedules.editSchedule(request, o)),
    getSchedule: (request, options) =>
      ask('getSchedule', options, (api, o) => api.scheduling.schedules.getSchedule(request, o)),
    listSchedules: (request, options) =>
      ask('listSchedules', options, (api, o) => api.scheduling.schedules.listSchedules(request, o)),
    pauseSchedule: (request, options) =>
      ask('pauseSchedule', options, (api, o) => api.scheduling.schedules.pauseSchedule(request, o)),
    resumeSchedule: (request, options) =>
      ask('resumeSchedule', options, (api, o) => api.scheduling.schedules.resumeSchedule(request, o)),
    removeSchedule: (request, options) =>
      ask('removeSchedule', options, (api, o) => api.scheduling.schedules.removeSchedule(request, o)),
    runSchedule: (request, options) =>
      ask('runSchedule', options, (api, o) => api.scheduling.schedules.runSchedule(request, o)),
    cancelRun: (request, options) =>
      ask('cancelRun', options, (api, o) => api.scheduling.schedules.cancelRun(request, o)),
    listRuns: (request, options) => ask('listRuns', options, (api, o) => api.scheduling.schedules.listRuns(request, o)),
    listVersions: (request, options) =>
      ask('listVersions', options, (api, o) => api.scheduling.schedules.listVersions(request, o)),
    listAgents: (options) => ask('listAgents', options, (api, o) => api.scheduling.schedules.listAgents(o)),
    removeAgent: (request, options) =>
      ask('removeAgent', options, (api, o) => api.scheduling.schedules.removeAgent(request, o)),
    getScheduleSummary: (options) =>
      ask('getScheduleSummary', options, (api, o) => api.scheduling.schedules.getScheduleSummary(o)),
    registerAgent: (request, options) =>
      ask('registerAgent', options, (api, o) => api.scheduling.agents.registerAgent(request, o)),
    poll: (request, options) => ask('poll', options, (api, o) => api.scheduling.agents.poll(request, o)),
    reportRun: (report, options) => ask('reportRun', options, (api, o) => api.scheduling.agents.reportRun(report, o)),
  }
}
