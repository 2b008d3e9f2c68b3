import { parseSnapshotId } from '../core/ids.ts'
import { ManagerService } from '../gen/twofold/v1/manager.ts'
import type { ManagerServer } from '../gen/twofold/v1/manager.ts'
import { clientStreamHandler, unaryHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import * as from from './convert.ts'
import * as to from './convert-request.ts'
import type { Manager } from './manager.ts'

/** The manager behind gRPC: translation and nothing else. */
export function managerService(manager: Manager): ServiceMount {
  const implementation: ManagerServer = { ...nodeCalls(manager), ...backupCalls(manager), ...viewCalls(manager) }
  return { definition: ManagerService, implementation }
}

type NodeCalls = Pick<ManagerServer, 'register' | 'heartbeat' | 'commitPack' | 'replaceReplica'>

function nodeCalls(manager: Manager): NodeCalls {
  return {
    register: unaryHandler(async (request, options) =>
      from.fromRegistration(await manager.register(to.toRegister(request), options)),
    ),
    heartbeat: unaryHandler(async (request, options) =>
      from.fromHeartbeatReply(await manager.heartbeat(to.toHeartbeat(request), options)),
    ),
    commitPack: clientStreamHandler(async (messages, options) => {
      await manager.commitPack(await to.readCommitPack(messages), options)
      return {}
    }),
    replaceReplica: unaryHandler(async (request, options) => {
      const { ticket, replica } = await manager.replaceReplica(to.toReplaceReplica(request), options)
      return { ticket: from.fromSigned(ticket), replica: from.fromNodeRef(replica) }
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
  | 'deleteFile'
>

function backupCalls(manager: Manager): BackupCalls {
  return {
    beginBackup: unaryHandler(async (request, options) =>
      from.fromSession(await manager.beginBackup(request, options)),
    ),
    renewSession: unaryHandler(async ({ session }, options) => ({
      leaseMs: await manager.renewSession(to.toSessionRef(session), options),
    })),
    endSession: unaryHandler(async ({ session, reason }, options) => {
      await manager.endSession(to.toSessionRef(session), reason, options)
      return {}
    }),
    lookupChunks: unaryHandler(async ({ session, chunkIds }, options) => ({
      present: [...(await manager.lookupChunks(to.toSessionRef(session), to.toChunkIds(chunkIds), options))],
    })),
    allocatePack: unaryHandler(async (request, options) => {
      const allocation = await manager.allocatePack(to.toAllocatePack(request), options)
      return {
        packId: allocation.packId,
        ticket: from.fromSigned(allocation.ticket),
        primary: from.fromNodeRef(allocation.primary),
        replicas: allocation.replicas.map(from.fromNodeRef),
      }
    }),
    abandonPack: unaryHandler(async (request, options) => {
      const { committed, nodes } = await manager.abandonPack(to.toAbandonPack(request), options)
      return { committed, nodes: nodes.map(from.fromNodeRef) }
    }),
    commitSnapshot: unaryHandler(async (request, options) => ({
      snapshot: from.fromSnapshot(await manager.commitSnapshot(to.toCommitSnapshot(request), options)),
    })),
    deleteFile: unaryHandler(async ({ vault, name, actor }, options) => ({
      file: from.fromFileRecord(await manager.deleteFile(vault, name, actor, options)),
    })),
  }
}

type ViewCalls = Pick<
  ManagerServer,
  | 'locateChunks'
  | 'listSnapshots'
  | 'getSnapshot'
  | 'listSnapshotPacks'
  | 'listNodes'
  | 'getStatus'
  | 'listHistory'
  | 'listFileVersions'
>

function viewCalls(manager: Manager): ViewCalls {
  return {
    locateChunks: unaryHandler(async ({ vault, chunkIds }, options) =>
      from.fromLocations(await manager.locateChunks(vault, to.toChunkIds(chunkIds), options)),
    ),
    listSnapshots: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await manager.listSnapshots(to.toFilter(request.filter), request, options)
      return { snapshots: items.map(from.fromSnapshot), nextPageToken }
    }),
    getSnapshot: unaryHandler(async ({ reference, filter }, options) => ({
      snapshot: from.fromSnapshot(await manager.getSnapshot(reference, to.toFilter(filter), options)),
    })),
    listSnapshotPacks: unaryHandler(async (request, options) => {
      const id = parseSnapshotId(request.snapshotId)
      const { items, nextPageToken } = await manager.listSnapshotPacks(id, request, options)
      return { packs: items.map(from.fromSnapshotPack), nextPageToken }
    }),
    listNodes: unaryHandler(async (_, options) => ({
      nodes: (await manager.listNodes(options)).map(from.fromNodeInfo),
    })),
    getStatus: unaryHandler(async (_, options) => from.fromStatus(await manager.getStatus(options))),
    listHistory: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await manager.listHistory(request.kind, request, options)
      return { operations: items.map(from.fromOperation), nextPageToken }
    }),
    listFileVersions: unaryHandler(async (request, options) => {
      const { items, nextPageToken } = await manager.listFileVersions(to.toListFileVersions(request), options)
      return { files: items.map(from.fromFileRecord), nextPageToken }
    }),
  }
}
