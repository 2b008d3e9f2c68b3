/**
 * Between the messages of `proto/` and the plain data of `core`: `to…` reads what comes in, where anything missing or
 * malformed is `invalid-argument`; `from…` makes what goes out.
 */
import { TwofoldError } from '../core/errors.ts'
import { parseChunkId, parseNodeId, parsePackId, parseSessionId, parseSnapshotId } from '../core/ids.ts'
import type { ClusterEvent, WatchedEvent } from '../core/cluster-events.ts'
import type * as plain from '../core/messages.ts'
import type {
  Checkpoint,
  ClusterStatus,
  CommittedSnapshot,
  Durability,
  FileRecord,
  NodeInfo,
  NodeState,
  Operation,
  PackCopy,
  Signed,
  Snapshot,
  SnapshotPack,
  SnapshotSafety,
} from '../core/model.ts'
import { Lineage as WireLineage, NodeState as WireState, Repair as WireRepair } from '../gen/twofold/v1/manager.ts'
import type * as wire from '../gen/twofold/v1/manager.ts'

export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TwofoldError('invalid-argument', `the request lacks its ${what}`)
  return value
}

export function toNumber(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new TwofoldError('invalid-argument', `the number ${value} is too large`)
  return number
}

export function toSigned(signed: Signed | undefined, what: string): Signed {
  const { claims, signature } = required(signed, what)
  return { claims, signature }
}

export function toSessionRef(session: wire.SessionRef | undefined): plain.SessionRef {
  const { sessionId, sessionToken } = required(session, 'session')
  return { sessionId: parseSessionId(sessionId), sessionToken }
}

export function toAllocatePack(request: wire.AllocatePackRequest): plain.AllocatePackRequest {
  return {
    session: toSessionRef(request.session),
    requestId: request.requestId,
    lengthBytes: toNumber(request.lengthBytes),
    excludeNodeIds: request.excludeNodeIds.map(parseNodeId),
    primaryNodeId: request.primaryNodeId === '' ? undefined : parseNodeId(request.primaryNodeId),
  }
}

export function toAbandonPack(request: wire.AbandonPackRequest): plain.AbandonPackRequest {
  return {
    session: toSessionRef(request.session),
    packId: parsePackId(request.packId),
    reason: request.reason,
  }
}

export function toCommitSnapshot(request: wire.CommitSnapshotRequest): plain.CommitSnapshotRequest {
  return {
    session: toSessionRef(request.session),
    snapshotId: parseSnapshotId(request.snapshotId),
    manifest: request.manifest,
  }
}

export function toBadCopy({ packId, nodeId, problem }: wire.ReportBadCopyRequest): plain.BadCopyReport {
  return { packId: parsePackId(packId), nodeId: parseNodeId(nodeId), problem }
}

/** A filter that is not set is one that everything in the default vault passes. */
export function toFilter(filter: wire.SnapshotFilter | undefined): plain.SnapshotFilter {
  return filter ?? { vault: '', host: '', paths: [], tags: [] }
}

export function toListFileVersions(request: wire.ListFileVersionsRequest): plain.ListFileVersionsRequest {
  return { ...request, version: toNumber(request.version) }
}

export const toChunkIds = (ids: readonly Uint8Array[]): ReturnType<typeof parseChunkId>[] => ids.map(parseChunkId)

export const states: Record<NodeState, wire.NodeState> = {
  joining: WireState.JOINING,
  up: WireState.UP,
  suspect: WireState.SUSPECT,
  dead: WireState.DEAD,
  draining: WireState.DRAINING,
  drained: WireState.DRAINED,
  removed: WireState.REMOVED,
}

const lineages = {
  unverified: WireLineage.UNVERIFIED,
  verified: WireLineage.VERIFIED,
  'rolled-back': WireLineage.ROLLED_BACK,
} as const

export function fromCommitted(committed: CommittedSnapshot): wire.CommitSnapshotResponse {
  const { statement, witnessesNeeded } = committed
  return { snapshot: fromSnapshot(committed), statement: fromSigned(statement), witnessesNeeded }
}

export function fromSigned(signed: Signed): Signed {
  return { claims: signed.claims, signature: signed.signature }
}

export function fromSession(session: plain.Session): wire.BeginBackupResponse {
  return {
    sessionId: session.sessionId,
    sessionToken: session.sessionToken,
    leaseMs: session.leaseMs,
    parent: session.parent === undefined ? undefined : fromSnapshot(session.parent),
    vaultId: session.vaultId,
    vaultEmpty: session.vaultEmpty,
    vault: session.vault,
    checkpoint: session.checkpoint === undefined ? undefined : fromCheckpoint(session.checkpoint),
  }
}

export function fromCheckpoint({ manifest, createdAtMs, packs }: Checkpoint): wire.Checkpoint {
  return { manifest, createdAtMs: BigInt(createdAtMs), packs }
}

const repairs = {
  none: WireRepair.NONE,
  running: WireRepair.RUNNING,
  waiting: WireRepair.WAITING,
} as const

function fromSafety(safety: SnapshotSafety): wire.SnapshotSafety {
  return {
    full: BigInt(safety.full),
    degraded: BigInt(safety.degraded),
    lost: BigInt(safety.lost),
    failureDomains: safety.failureDomains,
    provenAtMs: BigInt(safety.provenAtMs),
    endangered: safety.endangered.map(({ snapshotId, durability }) => {
      return { snapshotId, durability: fromDurability(durability) }
    }),
  }
}

function fromDurability(durability: Durability): wire.Durability {
  return {
    copies: durability.copies,
    copiesWanted: durability.copiesWanted,
    failureDomains: durability.failureDomains,
    packs: durability.packs,
    packsDegraded: durability.packsDegraded,
    packsUnavailable: durability.packsUnavailable,
    provenAtMs: BigInt(durability.provenAtMs),
    repair: repairs[durability.repair],
    nodes: [...durability.nodes],
  }
}

export function fromSnapshot(snapshot: Snapshot): wire.Snapshot {
  return {
    snapshotId: snapshot.snapshotId,
    manifest: snapshot.manifest,
    commitSequence: BigInt(snapshot.commitSequence),
    committedAtMs: BigInt(snapshot.committedAtMs),
    durability: fromDurability(snapshot.durability),
    fileVersion: BigInt(snapshot.fileVersion),
    expiresAtMs: BigInt(snapshot.expiresAtMs),
    pinned: snapshot.pin !== undefined,
    pinReason: snapshot.pin ?? '',
    tagsChanged: snapshot.tags !== undefined,
    tags: [...(snapshot.tags ?? [])],
  }
}

const nowhere: wire.ChunkLocation = { pack: 0, offset: 0, length: 0, plainLength: 0 }

export function fromLocations(locations: readonly (plain.ChunkLocation | undefined)[]): wire.LocateChunksResponse {
  const numbers = new Map<plain.PackLocation, number>()
  const chunks = locations.map((location) => {
    if (location === undefined) return nowhere
    const { pack, offset, length, plainLength } = location
    const number = numbers.get(pack) ?? numbers.size + 1
    numbers.set(pack, number)
    return { pack: number, offset, length, plainLength }
  })
  const packs = [...numbers.keys()].map((pack) => ({
    packId: pack.packId,
    lengthBytes: BigInt(pack.lengthBytes),
    nodes: [...pack.nodes],
  }))
  return { packs, chunks }
}

export function fromSnapshotPack(pack: SnapshotPack): wire.SnapshotPack {
  return {
    packId: pack.packId,
    lengthBytes: BigInt(pack.lengthBytes),
    copies: pack.copies.map(fromPackCopy),
  }
}

export function fromPackCopy({ node, state, provenAtMs }: PackCopy): wire.PackCopy {
  return { node, state: states[state], provenAtMs: BigInt(provenAtMs) }
}

export function fromNodeInfo(info: NodeInfo): wire.NodeInfo {
  return {
    node: info.node,
    state: states[info.state],
    capacityBytes: BigInt(info.capacityBytes),
    usedBytes: BigInt(info.usedBytes),
    freeBytes: BigInt(info.freeBytes),
    reservedBytes: BigInt(info.reservedBytes),
    packs: BigInt(info.packs),
    lastHeartbeatMs: BigInt(info.lastHeartbeatMs),
    uploads: info.uploads,
    writable: info.writable,
    problem: info.problem,
    programVersion: info.programVersion,
  }
}

export function fromStatus(status: ClusterStatus): wire.GetStatusResponse {
  return {
    clusterId: status.clusterId,
    epoch: BigInt(status.epoch),
    safeMode: status.safeMode,
    nodes: status.nodes.map(fromNodeInfo),
    snapshots: BigInt(status.snapshots),
    safety: fromSafety(status.safety),
    packs: BigInt(status.packs),
    packsDegraded: BigInt(status.packsDegraded),
    packsUnavailable: BigInt(status.packsUnavailable),
    chunks: BigInt(status.chunks),
    storedBytes: BigInt(status.storedBytes),
    sessionsOpen: BigInt(status.sessionsOpen),
    lastBackupMs: BigInt(status.lastBackupMs),
    programVersion: status.programVersion,
    lineage: lineages[status.lineage],
    lineageProblem: status.lineageProblem,
    packsUnknown: BigInt(status.packsUnknown),
    copiesDamaged: BigInt(status.copiesDamaged),
    managerTimeMs: BigInt(status.managerTimeMs),
  }
}

export function fromOperation(operation: Operation): wire.Operation {
  return {
    ...operation,
    number: BigInt(operation.number),
    timeMs: BigInt(operation.timeMs),
    durationMs: BigInt(operation.durationMs),
  }
}

export function fromFileRecord(file: FileRecord): wire.FileRecord {
  return {
    name: file.name,
    version: BigInt(file.version),
    deleted: file.deleted,
    createdAtMs: BigInt(file.createdAtMs),
    snapshot: file.snapshot === undefined ? undefined : fromSnapshot(file.snapshot),
  }
}

export function fromWatched({ event, resumeToken, gap }: WatchedEvent): wire.WatchClusterResponse {
  return { event: event === undefined ? undefined : fromEvent(event), resumeToken, gap }
}

function fromEvent(event: ClusterEvent): wire.ClusterEvent {
  const timeMs = BigInt(event.timeMs)
  if (event.kind === 'operation') {
    return { timeMs, what: { $case: 'operation', value: fromOperation(event.operation) } }
  }
  const subject = event.kind === 'node' ? event.node : event.kind === 'durability' ? event.snapshotId : ''
  return { timeMs, what: { $case: event.kind, value: { subject, before: event.before, after: event.after } } }
}
