import type { WatchedEvent } from '../core/cluster-events.ts'
import type { DeleteFileRequest } from '../core/admin-messages.ts'
import type { ChunkId, SnapshotId } from '../core/ids.ts'
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

/**
 * What a client asks of the manager. Meaning, idempotency and errors of each call: `manager.proto`. Any call may also
 * end in `unavailable` or `deadline-exceeded`; its outcome is then unknown and the call may be repeated.
 */
export interface ManagerApi {
  beginBackup(request: BeginBackupRequest, options?: CallOptions): Promise<Session>
  /** Resolves with the new length of the lease in milliseconds. */
  renewSession(session: SessionRef, options?: CallOptions): Promise<number>
  endSession(session: SessionRef, reason: string, options?: CallOptions): Promise<void>
  /** Resolves with one boolean for each id: whether it need not be uploaded. */
  lookupChunks(session: SessionRef, ids: readonly ChunkId[], options?: CallOptions): Promise<readonly boolean[]>
  allocatePack(request: AllocatePackRequest, options?: CallOptions): Promise<Allocation>
  abandonPack(request: AbandonPackRequest, options?: CallOptions): Promise<PackFate>
  commitSnapshot(request: CommitSnapshotRequest, options?: CallOptions): Promise<CommittedSnapshot>
  saveCheckpoint(request: SaveCheckpointRequest, options?: CallOptions): Promise<void>
  /** `vault` empty means the default one. */
  listCheckpoints(vault: string, page: PageRequest, options?: CallOptions): Promise<Page<Checkpoint>>
  /** Resolves with one location for each id; undefined when the vault does not have the chunk. */
  locateChunks(
    vault: string,
    ids: readonly ChunkId[],
    options?: CallOptions,
  ): Promise<readonly (ChunkLocation | undefined)[]>
  /** Resolves with whether the node checks its copy, or is about to. */
  reportBadCopy(report: BadCopyReport, options?: CallOptions): Promise<boolean>
  listSnapshots(filter: SnapshotFilter, page: PageRequest, options?: CallOptions): Promise<Page<Snapshot>>
  getSnapshot(reference: string, filter: SnapshotFilter, options?: CallOptions): Promise<Snapshot>
  listSnapshotPacks(id: SnapshotId, page: PageRequest, options?: CallOptions): Promise<Page<SnapshotPack>>
  listNodes(options?: CallOptions): Promise<readonly NodeInfo[]>
  getStatus(options?: CallOptions): Promise<ClusterStatus>
  watchCluster(resumeToken: string, options?: CallOptions): AsyncIterable<WatchedEvent>
  /** `kind` empty means all. */
  listHistory(kind: string, page: PageRequest, options?: CallOptions): Promise<Page<Operation>>
  listFileVersions(request: ListFileVersionsRequest, options?: CallOptions): Promise<Page<FileRecord>>
  deleteFile(request: DeleteFileRequest, options?: CallOptions): Promise<FileRecord>
}
