import type { Clock } from '../core/clock.ts'
import type { WatchedEvent } from '../core/cluster-events.ts'
import { randomHexId } from '../core/ids.ts'
import type { SnapshotId } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { SnapshotsRequest } from '../core/admin-messages.ts'
import type { Page, SnapshotFilter } from '../core/messages.ts'
import type { CallOptions, ClusterStatus, NodeInfo, Operation, SnapshotPack } from '../core/model.ts'
import type { NodeOutlook, NodeRequest, RebalanceOutlook, ShutdownState, Task } from '../core/node-admin.ts'
import type { Random } from '../core/random.ts'
import type { Codec } from '../format/codec.ts'
import type { AdminApi } from './admin-api.ts'
import type { AgentsApi } from './agents-api.ts'
import type { ArchiveRequest } from './archive.ts'
import { runBackup } from './backup.ts'
import type { BackupRequest, BackupSummary } from './backup-request.ts'
import type { BenchmarkOptions, BenchmarkRequest } from './benchmark.ts'
import type { BenchmarkReport } from './benchmark-report.ts'
import { toCheckpointInfo } from './checkpoint-info.ts'
import type { CheckpointInfo } from './checkpoint-info.ts'
import type { CheckOptions } from './check.ts'
import type { CheckRequest, CheckSummary } from './check-request.ts'
import { ChunkLoader } from './chunk-loader.ts'
import { diffSnapshots } from './diff.ts'
import type { DiffEntry } from './diff.ts'
import type { DoctorOptions, DoctorRequest } from './doctor.ts'
import type { Finding } from './doctor-findings.ts'
import { openDump } from './dump.ts'
import type { Dump, DumpRequest } from './dump.ts'
import { toFileVersion } from './file-version.ts'
import type { FileVersionInfo } from './file-version.ts'
import { findEntries } from './find-entries.ts'
import type { FindRequest, FoundEntry } from './find-entries.ts'
import { openFile } from './get-file.ts'
import type { GetFileRequest, OpenedFile } from './get-file.ts'
import { listEntries } from './list-entries.ts'
import type { ListRequest } from './list-entries.ts'
import type { ManagerApi } from './manager-api.ts'
import type { NodeAdminApi } from './node-admin-api.ts'
import { allPages } from './paged.ts'
import type { RunOptions } from './progress.ts'
import type { PruneRequest, PruneRunOptions, PruneSummary } from './prune.ts'
import { checkFileName, runPutFile } from './put-file.ts'
import type { PutFileRequest } from './put-file.ts'
import { runRestore } from './restore.ts'
import type { RestoreRequest, RestoreSummary } from './restore-request.ts'
import { Schedules } from './schedules.ts'
import type { SchedulesApi } from './schedules-api.ts'
import { followShutdown } from './shutdown.ts'
import { completeFilter, resolveSnapshot, toSnapshotInfo } from './snapshot-info.ts'
import type { SnapshotInfo } from './snapshot-info.ts'
import type { ReadDeps } from './snapshot-tree.ts'
import { collectStats } from './stats.ts'
import type { StatsInfo } from './stats.ts'
import type { StorageApi } from './storage-api.ts'
import type { ListedEntry } from './tree-walker.ts'
import { watchCluster } from './watch.ts'
import { untilRecorded } from './recorded-decision.ts'

/** What a client works with. */
export interface ClientDeps {
  readonly manager: ManagerApi
  readonly admin: AdminApi
  readonly nodeAdmin: NodeAdminApi
  readonly schedules: SchedulesApi
  readonly agents: AgentsApi
  readonly storage: StorageApi
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly codec: Codec
  /** 32 hexadecimal digits, one for each process. */
  readonly clientId: string
  readonly hostName: string
  readonly userName: string
  /** Name and version of the program, for manifests. */
  readonly program: string
  /** How long packs get, in bytes; the default suits disks and networks. */
  readonly packBytes?: number
  /** Lets go of connections. */
  close(): void
}

/** Of a call that can say what it would do. */
export interface DryRunOptions extends CallOptions {
  readonly dryRun?: boolean
}

export interface FilesPageRequest {
  readonly vault?: string | undefined
  /** 0 means the default. */
  readonly pageSize?: number | undefined
  /** Empty for the first page. */
  readonly pageToken?: string | undefined
}

/** Snapshots by their whole ids. */
export interface AdministeredSnapshots {
  readonly vault?: string | undefined
  readonly ids: readonly SnapshotId[]
}

/**
 * Everything that can be asked of a cluster. Every method takes a signal; besides what is said here each may end with
 * `unavailable` or `deadline-exceeded` when the manager cannot be reached, and with `cancelled`.
 */
export class Client {
  readonly #deps: ClientDeps
  readonly #read: ReadDeps
  /** Backups that run by themselves. */
  readonly schedules: Schedules

  constructor(deps: ClientDeps) {
    this.#deps = deps
    this.schedules = new Schedules(deps)
    this.#read = { manager: deps.manager, loader: new ChunkLoader(deps) }
  }

  /** For whoever carries schedules out. */
  get agents(): AgentsApi {
    return this.#deps.agents
  }

  /** @throws as `runBackup` */
  backup(request: BackupRequest, options: RunOptions = {}): Promise<BackupSummary> {
    return runBackup(this.#deps, request, options)
  }

  /** Closes the request's target when it is over. @throws as `runRestore` */
  restore(request: RestoreRequest, options: RunOptions = {}): Promise<RestoreSummary> {
    const { clock, logger } = this.#deps
    return runRestore({ ...this.#read, clock, logger }, request, options)
  }

  /** @throws as `runPutFile` */
  async putFile(
    request: PutFileRequest,
    content: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<FileVersionInfo> {
    return toFileVersion(await runPutFile(this.#deps, request, content, options))
  }

  /** @throws TwofoldError `not-found`, and as `openFile` */
  getFile(request: GetFileRequest, options: CallOptions = {}): Promise<OpenedFile> {
    return openFile(this.#read, request, options)
  }

  /** The newest version of each file, in the order of the names. */
  listFiles(
    request: FilesPageRequest & { prefix?: string | undefined } = {},
    options: CallOptions = {},
  ): Promise<Page<FileVersionInfo>> {
    return this.#filePage({ ...request, name: '' }, options)
  }

  /**
   * All versions of one file, the newest first. Its page is empty when there never was such a file.
   * @throws TwofoldError `invalid-argument` for a name that no file can have
   */
  async fileHistory(
    request: FilesPageRequest & { name: string },
    options: CallOptions = {},
  ): Promise<Page<FileVersionInfo>> {
    // Without a name the manager would list all files.
    checkFileName(request.name)
    return this.#filePage(request, options)
  }

  /** With the same `requestId` it is done once, however often it is asked for. @throws TwofoldError `not-found` */
  async deleteFile(
    request: { name: string; vault?: string | undefined; requestId?: string | undefined },
    options: CallOptions = {},
  ): Promise<FileVersionInfo> {
    const { hostName, userName, manager, random } = this.#deps
    const { name, vault = '', requestId } = request
    // A repetition of this call must not delete what was put in between.
    const once = { actor: `${userName}@${hostName}`, requestId: requestId ?? randomHexId<string>(random) }
    return toFileVersion(await manager.deleteFile({ vault, name, ...once }, options))
  }

  /** Finds a snapshot by `latest`, its id or the beginning of it. @throws TwofoldError `not-found`, `ambiguous` */
  resolve(reference: string, filter: Partial<SnapshotFilter> = {}, options: CallOptions = {}): Promise<SnapshotInfo> {
    return resolveSnapshot(this.#deps.manager, { reference, filter }, options)
  }

  /** The oldest first. */
  async *snapshots(filter: Partial<SnapshotFilter> = {}, options: CallOptions = {}): AsyncGenerator<SnapshotInfo> {
    const complete = completeFilter(filter)
    const pages = allPages((page) => this.#deps.manager.listSnapshots(complete, page, options))
    for await (const snapshot of pages) yield toSnapshotInfo(snapshot)
  }

  /** Unfinished backups that the next one of the same host and paths goes on from; the oldest first. */
  async *checkpoints(vault = '', options: CallOptions = {}): AsyncGenerator<CheckpointInfo> {
    const pages = allPages((page) => this.#deps.manager.listCheckpoints(vault, page, options))
    for await (const checkpoint of pages) yield toCheckpointInfo(checkpoint)
  }

  snapshotPacks(id: SnapshotId, options: CallOptions = {}): AsyncGenerator<SnapshotPack> {
    return allPages((page) => this.#deps.manager.listSnapshotPacks(id, page, options))
  }

  /** @throws as `listEntries` */
  list(
    reference: string,
    request: Omit<ListRequest, 'reference'>,
    options: CallOptions = {},
  ): AsyncGenerator<ListedEntry> {
    return listEntries(this.#read, { ...request, reference }, options)
  }

  /** @throws as `openDump` */
  dump(
    reference: string,
    path: Uint8Array,
    request: Partial<Pick<DumpRequest, 'archive' | 'filter'>> = {},
    options: CallOptions = {},
  ): Promise<Dump> {
    const { archive = 'auto', filter } = request
    return openDump(this.#read, { reference, path, archive, filter }, options)
  }

  /** @throws as `openArchive` */
  async archive(request: ArchiveRequest, options: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const { openArchive } = await import('./archive.ts')
    return openArchive(this.#read, request, options)
  }

  find(request: FindRequest, options: CallOptions = {}): AsyncGenerator<FoundEntry> {
    return findEntries(this.#read, request, options)
  }

  /** What is different in `after`. Both may name subfolders. */
  diff(before: string, after: string, options: CallOptions = {}): AsyncGenerator<DiffEntry> {
    return diffSnapshots(this.#read, { before, after }, options)
  }

  /** Of one snapshot, or of all that the filter allows. */
  stats(reference?: string, filter: Partial<SnapshotFilter> = {}, options: CallOptions = {}): Promise<StatsInfo> {
    return collectStats(this.#read, { reference, filter }, options)
  }

  /**
   * Moves snapshots to the trash, all of them or none. @returns until when they can be brought back, in milliseconds
   * since the epoch
   * @throws TwofoldError `failed-precondition` when one is pinned
   */
  forget(request: AdministeredSnapshots & { now?: boolean }, options: CallOptions = {}): Promise<number> {
    const { now = false } = request
    return this.#deps.admin.forgetSnapshots({ ...this.#administered(request), now }, options)
  }

  /** Brings snapshots back from the trash. @throws TwofoldError `failed-precondition` when one was removed for good */
  undelete(request: AdministeredSnapshots, options: CallOptions = {}): Promise<void> {
    const { admin, clock } = this.#deps
    const decision = this.#administered(request)
    const told = { clock, what: 'the snapshots were brought back', signal: options.signal }
    return untilRecorded(() => admin.undeleteSnapshots(decision, options), told)
  }

  /** Gives snapshots other tags, all of them or none: `clear` removes those that they have, before adding. */
  tag(
    request: AdministeredSnapshots & { add?: readonly string[]; remove?: readonly string[]; clear?: boolean },
    options: CallOptions = {},
  ): Promise<void> {
    const { add = [], remove = [], clear = false } = request
    return this.#deps.admin.tagSnapshots({ ...this.#administered(request), add, remove, clear }, options)
  }

  /** Protects snapshots from being forgotten, or ends that. */
  pin(request: AdministeredSnapshots & { pinned: boolean; reason?: string }, options: CallOptions = {}): Promise<void> {
    const { admin, clock } = this.#deps
    const { pinned, reason = '' } = request
    const decision = { ...this.#administered(request), pinned, reason }
    const told = { clock, what: `the snapshots were ${pinned ? '' : 'un'}pinned`, signal: options.signal }
    return untilRecorded(() => admin.pinSnapshots(decision, options), told)
  }

  /** @throws as `runPrune` */
  async prune(request: PruneRequest, options: PruneRunOptions = {}): Promise<PruneSummary> {
    const { runPrune } = await import('./prune.ts')
    return runPrune(this.#deps, request, options)
  }

  /** @throws as `runCheck` */
  async check(request: CheckRequest = {}, options: CheckOptions = {}): Promise<CheckSummary> {
    const { runCheck } = await import('./check.ts')
    return runCheck({ ...this.#deps, loader: this.#read.loader }, request, options)
  }

  nodes(options: CallOptions = {}): Promise<readonly NodeInfo[]> {
    return this.#deps.manager.listNodes(options)
  }

  /** Has a node emptied. @throws TwofoldError `not-found`, `failed-precondition` */
  drainNode(node: string, options: DryRunOptions = {}): Promise<NodeOutlook> {
    return this.#deps.nodeAdmin.drainNode(this.#nodeRequest(node, options), options)
  }

  /** Takes a node that was drained into use again. @throws TwofoldError `not-found`, `failed-precondition` */
  resumeNode(node: string, options: DryRunOptions = {}): Promise<NodeOutlook> {
    return this.#deps.nodeAdmin.resumeNode(this.#nodeRequest(node, options), options)
  }

  /** Takes a node out for good. @throws TwofoldError `not-found`, `failed-precondition` */
  removeNode(node: string, options: DryRunOptions & { force?: boolean } = {}): Promise<NodeOutlook> {
    return this.#deps.nodeAdmin.removeNode(this.#nodeRequest(node, options), options)
  }

  /** Moves packs from full nodes to empty ones, in the background; `stop` ends that. */
  rebalance(options: DryRunOptions & { stop?: boolean } = {}): Promise<RebalanceOutlook> {
    const { dryRun = false, stop = false } = options
    return this.#deps.nodeAdmin.rebalance({ dryRun, stop, actor: this.#deps.userName }, options)
  }

  /** What is done in the background to keep copies where they belong. */
  tasks(options: CallOptions = {}): Promise<readonly Task[]> {
    return this.#deps.nodeAdmin.listTasks(options)
  }

  /**
   * Shuts the whole cluster down, and tells how far it is until the manager is gone. What was begun goes on when nobody
   * listens any more. @throws TwofoldError `failed-precondition` when it is too late to `cancel` it
   */
  shutDown(
    request: { now?: boolean; cancel?: boolean } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ShutdownState> {
    return followShutdown(this.#deps, request, options)
  }

  /** What would be shut down. */
  shutdownState(options: CallOptions = {}): Promise<ShutdownState> {
    return this.#deps.nodeAdmin.getShutdown(options)
  }

  #nodeRequest(node: string, { dryRun = false, force = false }: DryRunOptions & { force?: boolean }): NodeRequest {
    return { node, dryRun, force, actor: this.#deps.userName }
  }

  status(options: CallOptions = {}): Promise<ClusterStatus> {
    return this.#deps.manager.getStatus(options)
  }

  /** As `watchCluster`. @throws TwofoldError `unavailable` when the manager cannot be reached to begin with */
  watch(request: { resumeToken?: string | undefined } = {}, options: CallOptions = {}): AsyncGenerator<WatchedEvent> {
    return watchCluster(this.#deps, request.resumeToken ?? '', options)
  }

  /** What was done, the newest first; at most `limit` of it. */
  async *history(
    request: { kind?: string | undefined; limit?: number | undefined } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Operation> {
    const { kind = '', limit = Infinity } = request
    let left = limit
    if (left <= 0) return
    for await (const operation of allPages((page) => this.#deps.manager.listHistory(kind, page, options))) {
      yield operation
      left -= 1
      if (left <= 0) return
    }
  }

  /** @throws as `runBenchmark` */
  async benchmark(request: BenchmarkRequest, options: BenchmarkOptions = {}): Promise<BenchmarkReport> {
    const { runBenchmark } = await import('./benchmark.ts')
    return runBenchmark(this.#deps, request, options)
  }

  /** As `runDoctor`: what is wrong is in the findings, not thrown. */
  async doctor(request: DoctorRequest = {}, options: DoctorOptions = {}): Promise<readonly Finding[]> {
    const { runDoctor } = await import('./doctor.ts')
    return runDoctor(this.#deps, request, options)
  }

  /** Lets go of all connections; what is running ends with `unavailable`. */
  close(): void {
    this.#deps.close()
  }

  #administered({ vault = '', ids }: AdministeredSnapshots): SnapshotsRequest {
    const { hostName, userName, random } = this.#deps
    const requestId = randomHexId<string>(random)
    return { vault, snapshotIds: ids, actor: `${userName}@${hostName}`, requestId }
  }

  async #filePage(
    request: FilesPageRequest & { name: string; prefix?: string | undefined },
    options: CallOptions,
  ): Promise<Page<FileVersionInfo>> {
    const { name, vault = '', prefix = '', pageSize = 0, pageToken = '' } = request
    const page = await this.#deps.manager.listFileVersions(
      { vault, name, prefix, version: 0, pageSize, pageToken },
      options,
    )
    return { items: page.items.map(toFileVersion), nextPageToken: page.nextPageToken }
  }
}
