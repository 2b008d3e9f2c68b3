/** Plain data of `core` as the messages that go out. */
import type { ChunkLocation, HeartbeatReply, Order, PackLocation, Registration, Session } from '../core/messages.ts'
import type {
  ClusterStatus,
  Durability,
  FileRecord,
  NodeInfo,
  NodeRef,
  NodeState,
  Operation,
  Signed,
  Snapshot,
  SnapshotPack,
} from '../core/model.ts'
import type * as common from '../gen/twofold/v1/common.ts'
import { NodeState as WireState } from '../gen/twofold/v1/manager.ts'
import type * as wire from '../gen/twofold/v1/manager.ts'

const states: Record<NodeState, wire.NodeState> = {
  joining: WireState.JOINING,
  up: WireState.UP,
  suspect: WireState.SUSPECT,
  dead: WireState.DEAD,
  draining: WireState.DRAINING,
  drained: WireState.DRAINED,
  removed: WireState.REMOVED,
}

export function fromNodeRef(node: NodeRef): common.NodeRef {
  const { nodeId, incarnation, name, address, failureDomain } = node
  return { nodeId, incarnation, name, address, failureDomain }
}

export function fromSigned(signed: Signed): Signed {
  return { claims: signed.claims, signature: signed.signature }
}

export function fromRegistration(registration: Registration): wire.RegisterResponse {
  return {
    clusterId: registration.clusterId,
    registrationNumber: BigInt(registration.registrationNumber),
    managerPublicKey: registration.managerPublicKey,
    heartbeatIntervalMs: registration.heartbeatIntervalMs,
    leaseMs: registration.leaseMs,
    managerTimeMs: BigInt(registration.managerTimeMs),
    epoch: BigInt(registration.epoch),
  }
}

function fromOrder(order: Order): wire.Order {
  const { orderId, action } = order
  const epoch = BigInt(order.epoch)
  if (action.kind === 'unknown') return { orderId, epoch }
  const { packId, incarnation, generationMax } = action
  const value = { packId, incarnation, putSequenceMax: BigInt(action.putSequenceMax), generationMax }
  return { orderId, epoch, action: { $case: 'dropPack', value } }
}

export function fromHeartbeatReply(reply: HeartbeatReply): wire.HeartbeatResponse {
  return {
    leaseMs: reply.leaseMs,
    managerTimeMs: BigInt(reply.managerTimeMs),
    epoch: BigInt(reply.epoch),
    orders: reply.orders.map(fromOrder),
    state: states[reply.state],
  }
}

export function fromSession(session: Session): wire.BeginBackupResponse {
  return {
    sessionId: session.sessionId,
    sessionToken: session.sessionToken,
    leaseMs: session.leaseMs,
    parent: session.parent === undefined ? undefined : fromSnapshot(session.parent),
    vaultId: session.vaultId,
    vaultEmpty: session.vaultEmpty,
    vault: session.vault,
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
    nodes: durability.nodes.map(fromNodeRef),
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
  }
}

const nowhere: wire.ChunkLocation = { pack: 0, offset: 0, length: 0, plainLength: 0 }

export function fromLocations(locations: readonly (ChunkLocation | undefined)[]): wire.LocateChunksResponse {
  const numbers = new Map<PackLocation, number>()
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
    nodes: pack.nodes.map(fromNodeRef),
  }))
  return { packs, chunks }
}

export function fromSnapshotPack(pack: SnapshotPack): wire.SnapshotPack {
  return {
    packId: pack.packId,
    lengthBytes: BigInt(pack.lengthBytes),
    copies: pack.copies.map((copy) => ({
      node: fromNodeRef(copy.node),
      state: states[copy.state],
      provenAtMs: BigInt(copy.provenAtMs),
    })),
  }
}

export function fromNodeInfo(info: NodeInfo): wire.NodeInfo {
  return {
    node: fromNodeRef(info.node),
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
    packs: BigInt(status.packs),
    packsDegraded: BigInt(status.packsDegraded),
    packsUnavailable: BigInt(status.packsUnavailable),
    chunks: BigInt(status.chunks),
    storedBytes: BigInt(status.storedBytes),
    sessionsOpen: BigInt(status.sessionsOpen),
    lastBackupMs: BigInt(status.lastBackupMs),
    programVersion: status.programVersion,
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
