/** Between the messages of `proto/` and the plain data of `core`, in the directions that a client needs. */
import { TwofoldError } from '../core/errors.ts'
import type { ClusterEvent, WatchedEvent } from '../core/cluster-events.ts'
import { parseClusterId, parsePackId, parseSessionId, parseSnapshotId } from '../core/ids.ts'
import type { Incarnation, NodeId } from '../core/ids.ts'
import type { Allocation, ChunkLocation, PackLocation, Session } from '../core/messages.ts'
import type {
  Checkpoint,
  ClusterStatus,
  CommittedSnapshot,
  Durability,
  FileRecord,
  LineageState,
  NodeInfo,
  NodeRef,
  NodeState,
  Operation,
  PackCopy,
  RepairActivity,
  Signed,
  Snapshot,
  SnapshotPack,
  SnapshotSafety,
} from '../core/model.ts'
import { toNodeRef } from '../core/node-ref.ts'
import type * as common from '../gen/twofold/v1/common.ts'
import type * as wire from '../gen/twofold/v1/manager.ts'

/** A number of the wire as a JavaScript number. @throws TwofoldError `unsupported` beyond 2^53: it would change. */
export function toNumber(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new TwofoldError('unsupported', `${value} is too large for this program`)
  return number
}

/** A part of an answer that the protocol requires. @throws TwofoldError `unsupported` when it is missing. */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TwofoldError('unsupported', `the answer lacks its ${what}: is the server newer?`)
  return value
}

/** A node as a copy or member is listed: one that never registered again has no incarnation to show. */
function toListedNode(node: common.NodeRef): NodeRef {
  return { ...node, nodeId: node.nodeId as NodeId, incarnation: node.incarnation as Incarnation }
}

export function toSigned(signed: Signed): Signed {
  return { claims: signed.claims, signature: signed.signature }
}

const states: readonly NodeState[] = ['joining', 'up', 'suspect', 'dead', 'draining', 'drained', 'removed']

export function toNodeState(state: number): NodeState {
  return required(states[state - 1], 'state of a node')
}

const repairs: readonly RepairActivity[] = ['none', 'running', 'waiting']

function toSafety(safety: wire.SnapshotSafety): SnapshotSafety {
  return {
    full: toNumber(safety.full),
    degraded: toNumber(safety.degraded),
    lost: toNumber(safety.lost),
    failureDomains: safety.failureDomains,
    provenAtMs: toNumber(safety.provenAtMs),
    endangered: safety.endangered.map(({ snapshotId, durability }) => {
      return { snapshotId, durability: toDurability(required(durability, 'durability')) }
    }),
  }
}

export function toDurability(durability: wire.Durability): Durability {
  return {
    copies: durability.copies,
    copiesWanted: durability.copiesWanted,
    failureDomains: durability.failureDomains,
    packs: durability.packs,
    packsDegraded: durability.packsDegraded,
    packsUnavailable: durability.packsUnavailable,
    provenAtMs: toNumber(durability.provenAtMs),
    // A manager of before this field repairs nothing.
    repair: repairs[durability.repair - 1] ?? 'none',
    nodes: durability.nodes.map(toListedNode),
  }
}

export function toSnapshot(snapshot: wire.Snapshot): Snapshot {
  return {
    snapshotId: parseSnapshotId(snapshot.snapshotId),
    manifest: snapshot.manifest,
    commitSequence: toNumber(snapshot.commitSequence),
    committedAtMs: toNumber(snapshot.committedAtMs),
    durability: toDurability(required(snapshot.durability, 'durability')),
    fileVersion: toNumber(snapshot.fileVersion),
    expiresAtMs: toNumber(snapshot.expiresAtMs),
    pin: snapshot.pinned ? snapshot.pinReason : undefined,
    tags: snapshot.tagsChanged ? snapshot.tags : undefined,
  }
}

export function toCommitted(reply: wire.CommitSnapshotResponse): CommittedSnapshot {
  const snapshot = toSnapshot(required(reply.snapshot, 'snapshot'))
  const statement = toSigned(required(reply.statement, 'statement'))
  return { ...snapshot, statement, witnessesNeeded: reply.witnessesNeeded }
}

const lineages: readonly LineageState[] = ['unverified', 'verified', 'rolled-back']

export function toSnapshotPack(pack: wire.SnapshotPack): SnapshotPack {
  return {
    packId: parsePackId(pack.packId),
    lengthBytes: toNumber(pack.lengthBytes),
    copies: pack.copies.map(toPackCopy),
  }
}

export function toPackCopy(copy: wire.PackCopy): PackCopy {
  return {
    node: toListedNode(required(copy.node, 'node')),
    state: toNodeState(copy.state),
    provenAtMs: toNumber(copy.provenAtMs),
  }
}

export function toSession(reply: wire.BeginBackupResponse): Session {
  return {
    sessionId: parseSessionId(reply.sessionId),
    sessionToken: reply.sessionToken,
    leaseMs: reply.leaseMs,
    parent: reply.parent === undefined ? undefined : toSnapshot(reply.parent),
    vaultId: reply.vaultId,
    vaultEmpty: reply.vaultEmpty,
    vault: reply.vault,
    checkpoint: reply.checkpoint === undefined ? undefined : toCheckpoint(reply.checkpoint),
  }
}

export function toCheckpoint({ manifest, createdAtMs, packs }: wire.Checkpoint): Checkpoint {
  return { manifest, createdAtMs: toNumber(createdAtMs), packs }
}

export function toAllocation(reply: wire.AllocatePackResponse): Allocation {
  return {
    packId: parsePackId(reply.packId),
    ticket: toSigned(required(reply.ticket, 'ticket')),
    primary: toNodeRef(required(reply.primary, 'primary')),
    replicas: reply.replicas.map(toNodeRef),
  }
}

/** One location for each of `count` ids. @throws TwofoldError `unsupported` when the answer has not as many. */
export function toLocations(reply: wire.LocateChunksResponse, count: number): (ChunkLocation | undefined)[] {
  const packs = reply.packs.map((pack): PackLocation => ({
    packId: parsePackId(pack.packId),
    lengthBytes: toNumber(pack.lengthBytes),
    nodes: pack.nodes.map(toNodeRef),
  }))
  if (reply.chunks.length !== count) required(undefined, 'location of every chunk')
  return reply.chunks.map(({ pack, offset, length, plainLength }) =>
    pack === 0 ? undefined : { pack: required(packs[pack - 1], 'pack'), offset, length, plainLength },
  )
}

export function toNodeInfo(info: wire.NodeInfo): NodeInfo {
  return {
    node: toListedNode(required(info.node, 'node')),
    state: toNodeState(info.state),
    capacityBytes: toNumber(info.capacityBytes),
    usedBytes: toNumber(info.usedBytes),
    freeBytes: toNumber(info.freeBytes),
    reservedBytes: toNumber(info.reservedBytes),
    packs: toNumber(info.packs),
    lastHeartbeatMs: toNumber(info.lastHeartbeatMs),
    uploads: info.uploads,
    writable: info.writable,
    problem: info.problem,
    programVersion: info.programVersion,
  }
}

export function toClusterStatus(reply: wire.GetStatusResponse): ClusterStatus {
  return {
    clusterId: parseClusterId(reply.clusterId),
    epoch: toNumber(reply.epoch),
    safeMode: reply.safeMode,
    nodes: reply.nodes.map(toNodeInfo),
    snapshots: toNumber(reply.snapshots),
    safety: toSafety(required(reply.safety, 'safety of the snapshots')),
    packs: toNumber(reply.packs),
    packsDegraded: toNumber(reply.packsDegraded),
    packsUnavailable: toNumber(reply.packsUnavailable),
    chunks: toNumber(reply.chunks),
    storedBytes: toNumber(reply.storedBytes),
    sessionsOpen: toNumber(reply.sessionsOpen),
    lastBackupMs: toNumber(reply.lastBackupMs),
    programVersion: reply.programVersion,
    lineage: required(lineages[reply.lineage - 1], 'lineage'),
    lineageProblem: reply.lineageProblem,
    packsUnknown: toNumber(reply.packsUnknown),
    copiesDamaged: toNumber(reply.copiesDamaged),
    managerTimeMs: toNumber(reply.managerTimeMs),
  }
}

export function toOperation(operation: wire.Operation): Operation {
  const { kind, actor, subject, result, detail, snapshotId } = operation
  if (result !== 'ok' && result !== 'failed' && result !== 'abandoned') return required<Operation>(undefined, 'result')
  return {
    number: toNumber(operation.number),
    kind,
    timeMs: toNumber(operation.timeMs),
    actor,
    subject,
    result,
    detail,
    snapshotId,
    durationMs: toNumber(operation.durationMs),
  }
}

export function toFileRecord(file: wire.FileRecord): FileRecord {
  return {
    name: file.name,
    version: toNumber(file.version),
    deleted: file.deleted,
    createdAtMs: toNumber(file.createdAtMs),
    snapshot: file.snapshot === undefined ? undefined : toSnapshot(file.snapshot),
  }
}

export function toWatched({ event, resumeToken, gap }: wire.WatchClusterResponse): WatchedEvent {
  // An event of a newer manager, of a kind that this program does not know, is a sign of life.
  return { event: event?.what === undefined ? undefined : toEvent(event, event.what), resumeToken, gap }
}

function toEvent({ timeMs: time }: wire.ClusterEvent, what: NonNullable<wire.ClusterEvent['what']>): ClusterEvent {
  const timeMs = toNumber(time)
  if (what.$case === 'operation') return { kind: 'operation', timeMs, operation: toOperation(what.value) }
  const { subject, before, after } = what.value
  if (what.$case === 'node') return { kind: 'node', timeMs, node: subject, before, after }
  if (what.$case === 'durability') return { kind: 'durability', timeMs, snapshotId: subject, before, after }
  return { kind: 'repair', timeMs, before, after }
}
