import type { Clock } from '../core/clock.ts'
import type { ChunkId, ClusterId, SnapshotId } from '../core/ids.ts'
import { TwofoldError } from '../core/errors.ts'
import type { DeleteFileRequest } from '../core/admin-messages.ts'
import { sessionSweepIntervalMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type {
  AbandonPackRequest,
  AllocatePackRequest,
  BadCopyReport,
  Allocation,
  BeginBackupRequest,
  ChunkLocation,
  CommitPackRequest,
  CommitSnapshotRequest,
  Heartbeat,
  HeartbeatReply,
  InventoryReport,
  ListFileVersionsRequest,
  PackFate,
  Page,
  PageRequest,
  RecordsReport,
  RegisterRequest,
  Registration,
  Replacement,
  ReplaceReplicaRequest,
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
import type { Random } from '../core/random.ts'
import { readTicketUnchecked } from '../format/tickets.ts'
import { Admin } from './admin.ts'
import type { WatchedEvent } from '../core/cluster-events.ts'
import type { Catalogue } from './catalogue.ts'
import type { ManagerContext } from './context.ts'
import { listCheckpoints, saveCheckpoint } from './checkpoints.ts'
import { reportBadCopy } from './bad-copies.ts'
import { ClusterObserver } from './cluster-observer.ts'
import { CopyChecks } from './copy-checks.ts'
import { CallGate, bytesPerChunk, bytesPerRecord, bytesPerSnapshot } from './call-gate.ts'
import type { GateSizes } from './call-gate.ts'
import { CopyCounts } from './copy-counts.ts'
import { Drains } from './drain-state.ts'
import { DurabilityReader } from './durability.ts'
import { CatalogueCopies } from './catalogue-copies.ts'
import type { CatalogueCopier } from './catalogue-copies.ts'
import { EventFeed } from './event-feed.ts'
import { deleteFile, listFileVersions } from './files.ts'
import { PruneWorker } from './gc/prune-worker.ts'
import { DamagedCopies } from './damaged-copies.ts'
import { careForCopies } from './care-for-copies.ts'
import { takeHeartbeat } from './heartbeats.ts'
import { beginEpoch } from './identity.ts'
import { takeInventory } from './inventory-intake.ts'
import { InventoryWatch } from './inventory-watch.ts'
import { Leases } from './leases.ts'
import { beginEpochInLog, openLineage } from './lineage-watch.ts'
import { LogFeed } from './log-feed.ts'
import { locateChunks, lookupChunks } from './lookup.ts'
import { ManagerTime } from './manager-time.ts'
import { Members } from './members.ts'
import { NodeAdmin } from './node-admin.ts'
import { allocatePack, replaceReplica } from './pack-allocation.ts'
import { commitPack } from './pack-commit.ts'
import { abandonPack } from './pack-fate.ts'
import { PassingOrders } from './passing-orders.ts'
import { PendingOrders } from './pending-orders.ts'
import { wasRebalancing } from './rebalance.ts'
import { Rebalance } from './rebalance-state.ts'
import { registerNode } from './registration.ts'
import { RepairState } from './repair-state.ts'
import { ReservationAudit } from './reservation-audit.ts'
import type { RepairWatch } from './repair-watch.ts'
import { Scheduling } from './schedules/scheduling.ts'
import { beginBackup, endSession, renewSession, sweepSessions } from './sessions.ts'
import { stepShutdown } from './shutdown.ts'
import { Shutdown } from './shutdown-state.ts'
import { commitSnapshot } from './snapshot-commit.ts'
import { getSnapshot, listSnapshotPacks, listSnapshots } from './snapshot-view.ts'
import { SoundPacks } from './sound-packs.ts'
import { getStatus, listHistory } from './status.ts'
import { defaultTiming } from './timing.ts'
import type { ManagerTiming } from './timing.ts'

export interface ManagerDeps {
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly timing?: Partial<ManagerTiming>
  readonly programVersion?: string
  /** Makes the copies of the catalogue that nodes keep; none are made without. */
  readonly copier?: CatalogueCopier
  /** Who says what is done about packs with too few copies; repair itself unless given. */
  readonly repairWatch?: RepairWatch
  /** How fast one node sends for repair; 0, as when left out, means as fast as it goes. */
  readonly repairBytesPerSecondMax?: number
  readonly gate?: GateSizes
}

/**
 * The control plane. `manager.proto` has the meaning, idempotency and errors of every call; whoever calls through gRPC
 * and whoever calls it in the same process sees the same.
 */
export class Manager {
  readonly #context: ManagerContext
  readonly #programVersion: string
  readonly #prune: PruneWorker
  readonly #feed: EventFeed
  readonly #observer: ClusterObserver
  readonly #reservations: ReservationAudit
  /** What people decide about the cluster. */
  readonly admin: Admin
  /** What people decide about nodes. */
  readonly nodeAdmin: NodeAdmin
  /** Backups that run by themselves. */
  readonly scheduling: Scheduling
  /** Where expensive calls wait for each other. */
  readonly gate: CallGate

  private constructor(context: ManagerContext, deps: ManagerDeps, scheduling: Scheduling) {
    this.#context = context
    this.#programVersion = deps.programVersion ?? ''
    this.gate = new CallGate(context.clock, deps.gate)
    this.#prune = new PruneWorker(context)
    this.#reservations = new ReservationAudit(context)
    this.admin = new Admin(context, this.#prune)
    this.#feed = new EventFeed(context.clock, context.random)
    this.#observer = new ClusterObserver(context, this.#feed, context.repairWatch)
    this.nodeAdmin = new NodeAdmin(context)
    this.scheduling = scheduling
  }

  /** Begins a new epoch on what the catalogue holds, and founds the cluster when that is nothing. */
  static async open(deps: ManagerDeps): Promise<Manager> {
    const { clock, random, logger } = deps
    const log = new LogFeed(deps.catalogue)
    const { catalogue } = log
    const timing = { ...defaultTiming, ...deps.timing }
    const identity = await beginEpoch(catalogue, random)
    const state = await catalogue.read(async (tx) => {
      const packs = []
      for (const pack of await tx.packs.open()) {
        packs.push({ pack, generations: await tx.packs.generations(pack.id) })
      }
      const damaged = await tx.damaged.all()
      return { nodes: await tx.nodes.all(), sessions: await tx.sessions.open(), packs, damaged }
    })
    const members = new Members(clock, timing, state.nodes)
    for (const { pack, generations } of state.packs) {
      for (const { ticket } of generations) {
        const { primary, replicas } = readTicketUnchecked(ticket)
        members.hold(
          pack.packId,
          pack.lengthBytes,
          [primary, ...replicas].map((node) => node.nodeId),
        )
      }
    }
    const leases = new Leases(clock, timing.sessionLeaseMs, state.sessions)
    const repair = new RepairState(deps.repairBytesPerSecondMax ?? 0)
    const { repairWatch = repair } = deps
    const durability = new DurabilityReader(catalogue, clock, { members, repair: repairWatch })
    const time = new ManagerTime(clock)
    const context = {
      ...{ catalogue, clock, random, logger, timing, identity, time, members, leases, durability },
      copyCounts: new CopyCounts(catalogue, clock),
      soundPacks: new SoundPacks(members),
      pendingOrders: new PendingOrders(catalogue),
      checks: new CopyChecks(clock, random),
      repairWatch,
      ...{ log, lineage: await openLineage(log, identity, members), begun: { epoch: false } },
      checkpoints: { inWork: 0 },
      catalogueCopies: new CatalogueCopies(deps.copier),
      orders: new PassingOrders(random),
      inventories: new InventoryWatch(),
      damaged: new DamagedCopies(catalogue, state.damaged),
      repair,
      drains: new Drains(),
      rebalance: new Rebalance(await wasRebalancing(catalogue)),
      shutdown: new Shutdown(),
    }
    await beginEpochInLog(context)
    return new Manager(context, deps, await Scheduling.open(context))
  }

  get clusterId(): ClusterId {
    return this.#context.identity.clusterId
  }

  /** Resolves when people have shut the cluster down, and the manager is to stop. */
  get ended(): Promise<void> {
    return this.#context.shutdown.ended
  }

  /** Works in the background, a bounded piece after the other, until `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const more = await this.sweep()
        await (more ? this.#context.clock.yield() : this.#context.clock.sleep(sessionSweepIntervalMs, signal))
      } catch (error) {
        if (signal.aborted) return
        this.#context.logger.error('background work failed; it is tried again', { error })
        // An abort while sleeping ends the loop by its condition.
        await this.#context.clock.sleep(sessionSweepIntervalMs, signal).catch(() => undefined)
      }
    }
  }

  /** One bounded piece of background work. @returns whether there is more to do now. */
  async sweep(): Promise<boolean> {
    const moreSessions = await sweepSessions(this.#context)
    const moreCopies = await careForCopies(this.#context)
    await this.#context.catalogueCopies.sweep(this.#context)
    const moreUpkeep = await this.#context.catalogue.upkeep()
    const moreGarbage = await this.#prune.step()
    const moreRuns = await this.scheduling.step()
    await this.#observer.step()
    await this.#reservations.step()
    stepShutdown(this.#context)
    return moreSessions || moreCopies || moreUpkeep || moreGarbage || moreRuns
  }

  register(request: RegisterRequest, options?: CallOptions): Promise<Registration> {
    return this.#call(options, (context) => registerNode(context, request))
  }

  heartbeat(request: Heartbeat, options?: CallOptions): Promise<HeartbeatReply> {
    return this.#call(options, (context) => takeHeartbeat(context, request))
  }

  reportInventory(report: InventoryReport, options?: CallOptions): Promise<void> {
    return this.#call(options, (context) => takeInventory(context, report))
  }

  /** Only a recovery asks for it. */
  async reportRecords({ nodeId }: RecordsReport): Promise<void> {
    throw new TwofoldError(
      'failed-precondition',
      `nobody asked node ${nodeId} for its records: no recovery is going on`,
    )
  }

  readCatalogueBackup(name: string): AsyncIterable<Uint8Array> {
    return this.#context.catalogueCopies.read(name)
  }

  commitPack(request: CommitPackRequest, options?: CallOptions): Promise<void> {
    const bytes = request.entries.reduce((sum, { refs }) => sum + bytesPerRecord + refs.length, 0)
    return this.gate.run(bytes, options, () => this.#change(options, (context) => commitPack(context, request)))
  }

  replaceReplica(request: ReplaceReplicaRequest, options?: CallOptions): Promise<Replacement> {
    return this.#change(options, (context) => replaceReplica(context, request))
  }

  beginBackup(request: BeginBackupRequest, options?: CallOptions): Promise<Session> {
    return this.#change(options, (context) => beginBackup(context, request))
  }

  renewSession(session: SessionRef, options?: CallOptions): Promise<number> {
    return this.#change(options, (context) => renewSession(context, session))
  }

  endSession(session: SessionRef, reason: string, options?: CallOptions): Promise<void> {
    return this.#change(options, (context) => endSession(context, session, reason))
  }

  lookupChunks(session: SessionRef, ids: readonly ChunkId[], options?: CallOptions): Promise<readonly boolean[]> {
    const bytes = ids.length * bytesPerChunk
    return this.gate.run(bytes, options, () => this.#change(options, (context) => lookupChunks(context, session, ids)))
  }

  allocatePack(request: AllocatePackRequest, options?: CallOptions): Promise<Allocation> {
    return this.#change(options, (context) => allocatePack(context, request))
  }

  abandonPack(request: AbandonPackRequest, options?: CallOptions): Promise<PackFate> {
    return this.#change(options, (context) => abandonPack(context, request))
  }

  commitSnapshot(request: CommitSnapshotRequest, options?: CallOptions): Promise<CommittedSnapshot> {
    const work = (): Promise<CommittedSnapshot> => this.#change(options, (context) => commitSnapshot(context, request))
    return this.gate.run(bytesPerSnapshot, options, work)
  }

  saveCheckpoint(request: SaveCheckpointRequest, options?: CallOptions): Promise<void> {
    return this.#change(options, (context) => saveCheckpoint(context, request))
  }

  listCheckpoints(vault: string, page: PageRequest, options?: CallOptions): Promise<Page<Checkpoint>> {
    return this.#call(options, (context) => listCheckpoints(context, vault, page))
  }

  locateChunks(
    vault: string,
    ids: readonly ChunkId[],
    options?: CallOptions,
  ): Promise<readonly (ChunkLocation | undefined)[]> {
    const bytes = ids.length * bytesPerChunk
    return this.gate.run(bytes, options, () => this.#call(options, (context) => locateChunks(context, vault, ids)))
  }

  reportBadCopy(report: BadCopyReport, options?: CallOptions): Promise<boolean> {
    return this.#call(options, (context) => reportBadCopy(context, report))
  }

  listSnapshots(filter: SnapshotFilter, page: PageRequest, options?: CallOptions): Promise<Page<Snapshot>> {
    return this.#call(options, (context) => listSnapshots(context, filter, page))
  }

  getSnapshot(reference: string, filter: SnapshotFilter, options?: CallOptions): Promise<Snapshot> {
    return this.#call(options, (context) => getSnapshot(context, reference, filter))
  }

  listSnapshotPacks(id: SnapshotId, page: PageRequest, options?: CallOptions): Promise<Page<SnapshotPack>> {
    return this.#call(options, (context) => listSnapshotPacks(context, id, page))
  }

  listNodes(options?: CallOptions): Promise<readonly NodeInfo[]> {
    return this.#call(options, async (context) => context.members.infos())
  }

  getStatus(options?: CallOptions): Promise<ClusterStatus> {
    return this.#call(options, (context) => getStatus(context, this.#programVersion))
  }

  watchCluster(resumeToken: string, options?: CallOptions): AsyncIterable<WatchedEvent> {
    return this.#feed.watch(resumeToken, options?.signal)
  }

  listHistory(kind: string, page: PageRequest, options?: CallOptions): Promise<Page<Operation>> {
    return this.#call(options, (context) => listHistory(context, kind, page))
  }

  listFileVersions(request: ListFileVersionsRequest, options?: CallOptions): Promise<Page<FileRecord>> {
    return this.#call(options, (context) => listFileVersions(context, request))
  }

  deleteFile(request: DeleteFileRequest, options?: CallOptions): Promise<FileRecord> {
    return this.#change(options, (context) => deleteFile(context, request))
  }

  /** What has begun is finished whatever the caller does: a transaction is short, and half of one is nothing. */
  async #call<T>(options: CallOptions | undefined, run: (context: ManagerContext) => Promise<T>): Promise<T> {
    options?.signal?.throwIfAborted()
    return run(this.#context)
  }

  /** The same for what changes something, which an older copy of a catalogue does not do. */
  async #change<T>(options: CallOptions | undefined, run: (context: ManagerContext) => Promise<T>): Promise<T> {
    this.#context.lineage.requireWritable()
    return this.#call(options, run)
  }
}
