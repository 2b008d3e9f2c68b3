import type { ManagerApi as ClientManagerApi } from '../../src/client/manager-api.ts'
import type { CallOptions } from '../../src/core/model.ts'
import type { Manager } from '../../src/manager/manager.ts'
import type { ManagerApi as NodeManagerApi } from '../../src/node/manager-api.ts'

/** One call of a manager on its way: `work` makes it, `call` is its name. */
export type ManagerCall = <T>(
  call: string,
  options: CallOptions | undefined,
  work: (manager: Manager, options: CallOptions | undefined) => Promise<T>,
) => Promise<T>

/** A manager as nodes and clients see it, both roles' ports at once: every call takes its way through `ask`. */
export function managerPort(ask: ManagerCall): ClientManagerApi & NodeManagerApi {
  return {
    register: (request, options) => ask('register', options, (api, o) => api.register(request, o)),
    heartbeat: (request, options) => ask('heartbeat', options, (api, o) => api.heartbeat(request, o)),
    reportInventory: (report, options) => ask('reportInventory', options, (api, o) => api.reportInventory(report, o)),
    reportRecords: (report, options) => ask('reportRecords', options, (api) => api.reportRecords(report)),
    readCatalogueBackup: async function* (name) {
      yield* await ask('readCatalogueBackup', undefined, async (api) => api.readCatalogueBackup(name))
    },
    commitPack: (request, options) => ask('commitPack', options, (api, o) => api.commitPack(request, o)),
    replaceReplica: (request, options) => ask('replaceReplica', options, (api, o) => api.replaceReplica(request, o)),
    beginBackup: (request, options) => ask('beginBackup', options, (api, o) => api.beginBackup(request, o)),
    renewSession: (ref, options) => ask('renewSession', options, (api, o) => api.renewSession(ref, o)),
    endSession: (ref, reason, options) => ask('endSession', options, (api, o) => api.endSession(ref, reason, o)),
    lookupChunks: (ref, ids, options) => ask('lookupChunks', options, (api, o) => api.lookupChunks(ref, ids, o)),
    allocatePack: (request, options) => ask('allocatePack', options, (api, o) => api.allocatePack(request, o)),
    abandonPack: (request, options) => ask('abandonPack', options, (api, o) => api.abandonPack(request, o)),
    commitSnapshot: (request, options) => ask('commitSnapshot', options, (api, o) => api.commitSnapshot(request, o)),
    saveCheckpoint: (request, options) => ask('saveCheckpoint', options, (api, o) => api.saveCheckpoint(request, o)),
    listCheckpoints: (vault, page, options) =>
      ask('listCheckpoints', options, (api, o) => api.listCheckpoints(vault, page, o)),
    locateChunks: (vault, ids, options) => ask('locateChunks', options, (api, o) => api.locateChunks(vault, ids, o)),
    reportBadCopy: (report, options) => ask('reportBadCopy', options, (api, o) => api.reportBadCopy(report, o)),
    listSnapshots: (filter, page, options) =>
      ask('listSnapshots', options, (api, o) => api.listSnapshots(filter, page, o)),
    getSnapshot: (reference, filter, options) =>
      ask('getSnapshot', options, (api, o) => api.getSnapshot(reference, filter, o)),
    listSnapshotPacks: (id, page, options) =>
      ask('listSnapshotPacks', options, (api, o) => api.listSnapshotPacks(id, page, o)),
    listNodes: (options) => ask('listNodes', options, (api, o) => api.listNodes(o)),
    getStatus: (options) => ask('getStatus', options, (api, o) => api.getStatus(o)),
    watchCluster: async function* (token, options) {
      yield* await ask('watchCluster', options, async (api, o) => api.watchCluster(token, o))
    },
    listHistory: (kind, page, options) => ask('listHistory', options, (api, o) => api.listHistory(kind, page, o)),
    listFileVersions: (request, options) =>
      ask('listFileVersions', options, (api, o) => api.listFileVersions(request, o)),
    deleteFile: (request, options) => ask('deleteFile', options, (api, o) => api.deleteFile(request, o)),
  }
}
