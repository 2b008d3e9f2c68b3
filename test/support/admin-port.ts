import type { AdminApi } from '../../src/client/admin-api.ts'
import type { NodeAdminApi } from '../../src/client/node-admin-api.ts'
import type { ManagerCall } from './manager-port.ts'

/** A manager's administrative calls as clients see them: every call takes its way through `ask`. */
export function adminPort(ask: ManagerCall): AdminApi & NodeAdminApi {
  return {
    forgetSnapshots: (request, options) =>
      ask('forgetSnapshots', options, (api, o) => api.admin.forgetSnapshots(request, o)),
    undeleteSnapshots: (request, options) =>
      ask('undeleteSnapshots', options, (api, o) => api.admin.undeleteSnapshots(request, o)),
    pinSnapshots: (request, options) => ask('pinSnapshots', options, (api, o) => api.admin.pinSnapshots(request, o)),
    tagSnapshots: (request, options) => ask('tagSnapshots', options, (api, o) => api.admin.tagSnapshots(request, o)),
    prune: (request, options) => ask('prune', options, (api, o) => api.admin.prune(request, o)),
    getPrune: (options) => ask('getPrune', options, (api, o) => api.admin.getPrune(o)),
    beginRepack: (request, options) => ask('beginRepack', options, (api, o) => api.admin.beginRepack(request, o)),
    listRepackable: (vault, page, options) =>
      ask('listRepackable', options, (api, o) => api.admin.listRepackable(vault, page, o)),
    checkCatalogue: async function* (options) {
      yield* await ask('checkCatalogue', options, async (api, o) => api.admin.checkCatalogue(o))
    },
    listPacks: (request, options) => ask('listPacks', options, (api, o) => api.admin.listPacks(request, o)),
    assessLoss: async function* (packs, options) {
      yield* await ask('assessLoss', options, async (api) => api.admin.assessLoss(packs))
    },
    finishRepack: (session, packs, options) =>
      ask('finishRepack', options, (api, o) => api.admin.finishRepack(session, packs, o)),
    drainNode: (request, options) => ask('drainNode', options, (api, o) => api.nodeAdmin.drainNode(request, o)),
    resumeNode: (request, options) => ask('resumeNode', options, (api, o) => api.nodeAdmin.resumeNode(request, o)),
    removeNode: (request, options) => ask('removeNode', options, (api, o) => api.nodeAdmin.removeNode(request, o)),
    rebalance: (request, options) => ask('rebalance', options, (api, o) => api.nodeAdmin.rebalance(request, o)),
    shutDown: (request, options) => ask('shutDown', options, (api, o) => api.nodeAdmin.shutDown(request, o)),
    getShutdown: (options) => ask('getShutdown', options, (api, o) => api.nodeAdmin.getShutdown(o)),
    listTasks: (options) => ask('listTasks', options, (api, o) => api.nodeAdmin.listTasks(o)),
  }
}
