import type { MethodDefinition } from '@grpc/grpc-js'
import type { WatchedEvent } from '../core/cluster-events.ts'
import type { DeleteFileRequest } from '../core/admin-messages.ts'
import type { ChunkId, SnapshotId } from '../core/ids.ts'
import { commitDeadlineMs, interactiveDeadlineMs } from '../core/limits.ts'
import type {
  AbandonPackRequest,
  AllocatePackRequest,
  Allocation,
  BadCopyReport,
  BeginBackupRequest,
  ChunkLocation,
  CommitSnapshotRequest,
  ListFileVersionsRequest,
  PackFate,
  Page,
  PageRequest,
  SaveCheckpointRequest,
  Session,
  SessionRef,
  SnapshotFilter,
} from '../core/messages.ts'
import type {
  CallOptions,
  Checkpoint,
  ClusterStatus,
  CommittedSnapshot,
  FileRecord,
  NodeInfo,
  Operation,
  Snapshot,
  SnapshotPack,
} from '../core/model.ts'
import { ManagerClient, ManagerService } from '../gen/twofold/v1/manager.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import { toNodeRef } from '../core/node-ref.ts'
import * as convert from './convert.ts'
import type { ManagerApi } from './manager-api.ts'
import { ManagerCalls } from './manager-calls-remote.ts'

/** The manager at the other end of gRPC. */
export class ManagerRemote implements ManagerApi {
  readonly #calls: ManagerCalls

  /** @param addresses `host:port` each, at least one. */
  constructor(channels: ChannelPool, addresses: readonly string[]) {
    this.#calls = new ManagerCalls(channels, addresses, ManagerClient)
  }

  async beginBackup(request: BeginBackupRequest, options?: CallOptions): Promise<Session> {
    const message = { ...request, paths: [...request.paths] }
    return convert.toSession(await this.#call(ManagerService.beginBackup, message, options))
  }

  async renewSession(session: SessionRef, options?: CallOptions): Promise<number> {
    const reply = await this.#call(ManagerService.renewSession, { session: toRef(session) }, options)
    return reply.leaseMs
  }

  async endSession(session: SessionRef, reason: string, options?: CallOptions): Promise<void> {
    await this.#call(ManagerService.endSession, { session: toRef(session), reason }, options)
  }

  async lookupChunks(session: SessionRef, ids: readonly ChunkId[], options?: CallOptions): Promise<readonly boolean[]> {
    const request = { session: toRef(session), chunkIds: [...ids] }
    const { present } = await this.#call(ManagerService.lookupChunks, request, options)
    if (present.length !== ids.length) convert.required(undefined, 'answer for every chunk')
    return present
  }

  async allocatePack(request: AllocatePackRequest, options?: CallOptions): Promise<Allocation> {
    const message = {
      session: toRef(request.session),
      requestId: request.requestId,
      lengthBytes: BigInt(request.lengthBytes),
      excludeNodeIds: [...request.excludeNodeIds],
      primaryNodeId: request.primaryNodeId ?? '',
    }
    return convert.toAllocation(await this.#call(ManagerService.allocatePack, message, options))
  }

  async abandonPack(request: AbandonPackRequest, options?: CallOptions): Promise<PackFate> {
    const { session, packId, reason } = request
    const reply = await this.#call(
      ManagerService.abandonPack,
      { session: toRef(session), packId, reason },
      { ...options, deadlineMs: commitDeadlineMs },
    )
    return { committed: reply.committed, nodes: reply.nodes.map(toNodeRef) }
  }

  async commitSnapshot(request: CommitSnapshotRequest, options?: CallOptions): Promise<CommittedSnapshot> {
    const reply = await this.#call(
      ManagerService.commitSnapshot,
      { ...request, session: toRef(request.session) },
      { ...options, deadlineMs: commitDeadlineMs },
    )
    return convert.toCommitted(reply)
  }

  async saveCheckpoint({ session, manifest }: SaveCheckpointRequest, options?: CallOptions): Promise<void> {
    const request = { session: toRef(session), manifest }
    await this.#call(ManagerService.saveCheckpoint, request, { ...options, deadlineMs: commitDeadlineMs })
  }

  async listCheckpoints(vault: string, page: PageRequest, options?: CallOptions): Promise<Page<Checkpoint>> {
    const reply = await this.#ask(ManagerService.listCheckpoints, { vault, ...page }, options)
    return { items: reply.checkpoints.map(convert.toCheckpoint), nextPageToken: reply.nextPageToken }
  }

  async locateChunks(
    vault: string,
    ids: readonly ChunkId[],
    options?: CallOptions,
  ): Promise<readonly (ChunkLocation | undefined)[]> {
    const request = { vault, chunkIds: [...ids] }
    return convert.toLocations(await this.#call(ManagerService.locateChunks, request, options), ids.length)
  }

  async reportBadCopy({ packId, nodeId, problem }: BadCopyReport, options?: CallOptions): Promise<boolean> {
    return (await this.#ask(ManagerService.reportBadCopy, { packId, nodeId, problem }, options)).ordered
  }

  async listSnapshots(filter: SnapshotFilter, page: PageRequest, options?: CallOptions): Promise<Page<Snapshot>> {
    const request = { filter: toFilter(filter), ...page }
    const reply = await this.#ask(ManagerService.listSnapshots, request, options)
    return { items: reply.snapshots.map(convert.toSnapshot), nextPageToken: reply.nextPageToken }
  }

  async getSnapshot(reference: string, filter: SnapshotFilter, options?: CallOptions): Promise<Snapshot> {
    const request = { reference, filter: toFilter(filter) }
    const reply = await this.#ask(ManagerService.getSnapshot, request, options)
    return convert.toSnapshot(convert.required(reply.snapshot, 'snapshot'))
  }

  async listSnapshotPacks(id: SnapshotId, page: PageRequest, options?: CallOptions): Promise<Page<SnapshotPack>> {
    const reply = await this.#call(ManagerService.listSnapshotPacks, { snapshotId: id, ...page }, options)
    return { items: reply.packs.map(convert.toSnapshotPack), nextPageToken: reply.nextPageToken }
  }

  async listNodes(options?: CallOptions): Promise<readonly NodeInfo[]> {
    const reply = await this.#ask(ManagerService.listNodes, {}, options)
    return reply.nodes.map(convert.toNodeInfo)
  }

  async getStatus(options?: CallOptions): Promise<ClusterStatus> {
    return convert.toClusterStatus(await this.#ask(ManagerService.getStatus, {}, options))
  }

  async *watchCluster(resumeToken: string, options?: CallOptions): AsyncGenerator<WatchedEvent> {
    const events = this.#calls.stream(ManagerService.watchCluster, { resumeToken }, options)
    for await (const reply of events) yield convert.toWatched(reply)
  }

  async listHistory(kind: string, page: PageRequest, options?: CallOptions): Promise<Page<Operation>> {
    const reply = await this.#ask(ManagerService.listHistory, { kind, ...page }, options)
    return { items: reply.operations.map(convert.toOperation), nextPageToken: reply.nextPageToken }
  }

  async listFileVersions(request: ListFileVersionsRequest, options?: CallOptions): Promise<Page<FileRecord>> {
    const message = { ...request, version: BigInt(request.version) }
    const reply = await this.#ask(ManagerService.listFileVersions, message, options)
    return { items: reply.files.map(convert.toFileRecord), nextPageToken: reply.nextPageToken }
  }

  async deleteFile(request: DeleteFileRequest, options?: CallOptions): Promise<FileRecord> {
    const reply = await this.#call(
      ManagerService.deleteFile,
      { ...request, requestId: request.requestId ?? '' },
      options,
    )
    return convert.toFileRecord(convert.required(reply.file, 'file'))
  }

  /** A small question that somebody waits for. */
  #ask<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response> {
    return this.#call(method, request, { ...options, deadlineMs: interactiveDeadlineMs })
  }

  #call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options?: CallOptions & { deadlineMs?: number },
  ): Promise<Response> {
    return this.#calls.call(method, request, options)
  }
}

/** Without the other fields that a session may carry. */
function toRef({ sessionId, sessionToken }: SessionRef): { sessionId: string; sessionToken: string } {
  return { sessionId, sessionToken }
}

function toFilter(filter: SnapshotFilter): Required<SnapshotFilter> & { paths: Uint8Array[]; tags: string[] } {
  const { vault, host, paths, tags, trash = false } = filter
  return { vault, host, paths: [...paths], tags: [...tags], trash }
}
