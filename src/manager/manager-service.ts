import { parseSnapshotId } from '../core/ids.ts'
import { ManagerService } from '../gen/twofold/v1/manager.ts'
import type { ManagerServer } from '../gen/twofold/v1/manager.ts'
import { clientStreamHandler, serverStreamHandler, unaryHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import * as convert from './convert.ts'
import { heartbeatCalls } from './heartbeats-service.ts'
import * as node from './node-convert.ts'
import type { Manager } from './manager.ts'

/** The manager behind gRPC: translation and nothing else. */
export function managerService(manager: Manager): ServiceMount {
  const implementation: ManagerServer = { ...nodeCalls(manager), ...backupCalls(manager), ...viewCalls(manager) }
  return { definition: ManagerService, implementation }
}

type NodeCalls = Pick<
  ManagerServer,
  | 'register'
  | 'heartbeat'
  | 'heartbeats'
  | 'reportInventory'
  | 'reportRecords'
  | 'readCatalogueBackup'
  | 'commitPack'
  | 'replaceReplica'
>

function nodeCalls(manager: Manager): NodeCalls {
  return {
    register: unaryHandler(async (request, options) =>
      node.fromRegistration(await manager.register(node.toRegister(request), options)),
    ),
    ...heartbeatCalls((heartbeat, options) => manager.heartbeat(heartbeat, options)),
    reportInventory: clientStreamHandler(async (messages, options) => {
      const take = async (): Promise<void> => manager.reportInventory(await node.readInventory(messages), options)
      await manager.gate.receive(options, take)
      return {}
    }),
    reportRecords: clientStreamHandler(async (messages) => {
      await manager.reportRecords(await node.openRecords(messages))
      return {}
    }),
    readCatalogueBackup: serverStreamHandler(async function* ({ name }) {
      for await (const data of manager.readCatalogueBackup(name)) yield { data }
    }),
    commitPack: clientStreamHandler(async (messages, options) => {
      const take = async (): Promise<void> => manager.commitPack(await node.readCommitPack(messages), options)
      await manager.gate.receive(options, take)
      return {}
    }),
    replaceReplica: unaryHandler(async (request, options) => {
      const { ticket, replica } = await manager.replaceReplica(node.toReplaceReplica(request), options)
      return { ticket: convert.fromSigned(ticket), replica }
    }),
  }
}

type BackupCalls = Pick<
  ManagerServer,
  | 'beginBackup'
  | 'renewSession'
  | 'endSession'
  | 'lookupChunks'
  | 'allocatePack'
  | 'abandonPack'
  | 'commitSnapshot'
  | 'saveCheckpoint'
  | 'deleteFile'
>

function backupCalls(manager: Manager): BackupCalls {
  return {
    beginBackup: unaryHandler(async (request, options) =>
      convert.fromSession(await manager.beginBackup(request, options)),
    ),
    renewSession: unaryHandler(async ({ session }, options) => ({
      leaseMs: await manager.renewSession(convert.toSessionRef(session), options),
    })),
    endSession: unaryHandler(async ({ session, reason }, options) => {
      await manager.endSession(convert.toSessionRef(session), reason, options)
      return {}
    }),
    lookupChunks: unaryHandler(async ({ session, chunkIds }, options) => ({
      present: [...(await manager.lookupChunks(convert.toSessionRef(session), convert.toChunkIds(chunkIds), options))],
    })),
    allocatePack: unaryHandler(async (request, options) => {
      const allocation = await manager.allocatePack(convert.toAllocatePack(request), options)
      return {
        packId: allocation.packId,
        ticket: convert.fromSigned(allocation.ticket),
        primary: allocation.primary,
        replicas: [...allocation.replicas],
      }
    }),
    abandonPack: unaryHandler(async (request, options) => {
      const { committed, nodes } = await manager.abandonPack(convert.toAbandonPack(request), options)
      return { committed, nodes: [...nodes] }
    }),
    commitSnapshot: unaryHandler(async (request, options) =>
      convert.fromCommitted(await manager.commitSnapshot(convert.toCommitSnapshot(request), options)),
    ),
    saveCheckpoint: unaryHandler(async ({ session, manifest }, options) => {
      await manager.saveCheckpoint({ session: convert.toSessionRef(session), manifest }, options)
      return {}
    }),
    deleteFile: unaryHandler(async (request, options) => ({
      file: convert.fromFileRecord(await manager.deleteFile(request, options)),
    })),
  }
}

type ViewCalls = Pick<
  ManagerServer,
  | 'listCheckpoints'
  | 'locateChunks'
  | 'reportBadCopy'
  | 'listSnapshots'
  | 'getSnapshot'
  | 'listSnapshotPacks'
  | 'listNodes'
  | 'getStatus'
  | 'watchCluster'
  | 'listHistory'
  | 'listFileVersions'
>

function viewCalls(manager: Manager): ViewCalls {
  return {
    listCheckpoints: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await manager.listCheckpoints(request.vault, request, options)
      return { checkpoints: items.map(convert.fromCheckpoint), nextPageToken }
    }),
    locateChunks: unaryHandler(async ({ vault, chunkIds }, options) =>
      convert.fromLocations(await manager.locateChunks(vault, convert.toChunkIds(chunkIds), options)),
    ),
    reportBadCopy: unaryHandler(async (request, options) => ({
      ordered: await manager.reportBadCopy(convert.toBadCopy(request), options),
    })),
    listSnapshots: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await manager.listSnapshots(convert.toFilter(request.filter), request, options)
      return { snapshots: items.map(convert.fromSnapshot), nextPageToken }
    }),
    getSnapshot: unaryHandler(async ({ reference, filter }, options) => ({
      snapshot: convert.fromSnapshot(await manager.getSnapshot(reference, convert.toFilter(filter), options)),
    })),
    listSnapshotPacks: unaryHandler(async (request, options) => {
      const id = parseSnapshotId(request.snapshotId)
      const { items, nextPageToken } = await manager.listSnapshotPacks(id, request, options)
      return { packs: items.map(convert.fromSnapshotPack), nextPageToken }
    }),
    listNodes: unaryHandler(async (_, options) => ({
      nodes: (await manager.listNodes(options)).map(convert.fromNodeInfo),
    })),
    getStatus: unaryHandler(async (_, options) => convert.fromStatus(await manager.getStatus(options))),
    watchCluster: serverStreamHandler(
      async function* ({ resumeToken }, options) {
        for await (const watched of manager.watchCluster(resumeToken, options)) yield convert.fromWatched(watched)
      },
      { standing: true },
    ),
    listHistory: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await manager.listHistory(request.kind, request, options)
      return { operations: items.map(convert.fromOperation), nextPageToken }
    }),
    listFileVersions: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await manager.listFileVersions(convert.toListFileVersions(request), options)
      return { files: items.map(convert.fromFileRecord), nextPageToken }
    }),
  }
}
