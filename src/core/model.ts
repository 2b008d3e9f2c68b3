/**
 * The nouns that manager, node and client share. They are plain data; `proto/` has the same things as messages, and
 * each role's `convert.ts` translates. Lengths are bytes, times are milliseconds unless the name ends in `Ns`.
 */
import type { ChunkId, ClusterId, Incarnation, NodeId, PackId, SessionId, SnapshotId } from './ids.ts'

/** Options of every asynchronous call. */
export interface CallOptions {
  /** Aborting it ends the call with `cancelled`; the outcome is then unknown. */
  readonly signal?: AbortSignal | undefined
}

export interface NodeRef {
  readonly nodeId: NodeId
  readonly incarnation: Incarnation
  readonly name: string
  /** `host:port` */
  readonly address: string
  readonly failureDomain: string
}

export type NodeState = 'joining' | 'up' | 'suspect' | 'dead' | 'draining' | 'drained' | 'removed'

export interface NodeInfo {
  readonly node: NodeRef
  readonly state: NodeState
  readonly capacityBytes: number
  readonly usedBytes: number
  readonly freeBytes: number
  readonly reservedBytes: number
  readonly packs: number
  /** 0 when not heard of since the manager started. */
  readonly lastHeartbeatMs: number
  readonly uploads: number
  readonly writable: boolean
  readonly problem: string
  readonly programVersion: string
}

/** A signed message: the claims are kept as the bytes that the signature covers. `format/tickets.ts` makes them. */
export interface Signed {
  readonly claims: Uint8Array
  readonly signature: Uint8Array
}
/** A manager's permission to write one pack. */
export type Ticket = Signed
/** A node's word that a pack is durable there. */
export type Receipt = Signed

export interface TicketClaims {
  readonly clusterId: ClusterId
  readonly vault: string
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  readonly sessionId: SessionId
  readonly packId: PackId
  readonly generation: number
  readonly lengthBytesMax: number
  readonly copies: number
  readonly minCopies: number
  readonly primary: NodeRef
  readonly replicas: readonly NodeRef[]
  readonly expiresAtMs: number
  readonly epoch: number
}

export interface ReceiptClaims {
  readonly packId: PackId
  readonly nodeId: NodeId
  readonly incarnation: Incarnation
  readonly putSequence: number
  readonly lengthBytes: number
  /** 32 bytes. */
  readonly digest: Uint8Array
  readonly sessionId: SessionId
  readonly durableAtMs: number
}

/** A manager's word that its log is at least this far. */
export type WitnessStatement = Signed

/** A place in the manager's log. Two positions of one life of a manager are on one chain. */
export interface LogPosition {
  /** Of the manager that spoke of it. */
  readonly epoch: number
  /** Which start of a manager spoke of it: 32 hexadecimal digits. */
  readonly life: string
  readonly sequence: number
  /** 32 bytes; it covers all entries before it. */
  readonly hash: Uint8Array
}

export interface LogEntry {
  readonly sequence: number
  /** 32 bytes, as `hash`. */
  readonly previousHash: Uint8Array
  readonly hash: Uint8Array
  readonly kind: string
  /** JSON. */
  readonly payload: Uint8Array
}

export type RecordKind = 'data' | 'tree' | 'snapshot'

/** One record of a pack as the node that checked it reports it. */
export interface PackEntry {
  readonly chunkId: ChunkId
  readonly kind: RecordKind
  /** Of the record's header, from the beginning of the pack. */
  readonly offset: number
  /** Of the record, header included. */
  readonly length: number
  readonly plainLength: number
  /** Ids of the chunks that a tree or snapshot refers to, 32 bytes each, one after the other; empty for data. */
  readonly refs: Uint8Array
}

export interface Durability {
  readonly copies: number
  readonly copiesWanted: number
  readonly failureDomains: number
  readonly packs: number
  readonly packsDegraded: number
  readonly packsUnavailable: number
  /** When the least recently proven of its copies was written, or last read and found good; 0 when one never was. */
  readonly provenAtMs: number
  /** What is done about the packs with too few copies. */
  readonly repair: RepairActivity
  readonly nodes: readonly NodeRef[]
}

/** `waiting`: there is something to copy, and nothing can be done now. */
export type RepairActivity = 'none' | 'running' | 'waiting'

/** How safe all backups are that are not in the trash. */
export interface SnapshotSafety {
  /** Those with all copies. */
  readonly full: number
  /** Those with too few, but at least one of everything. */
  readonly degraded: number
  /** Those that need a pack of which there is no copy on a node that counts. */
  readonly lost: number
  /** The fewest of any; 0 when there are no backups. */
  readonly failureDomains: number
  /** The oldest of any; 0 when there are no backups, or a copy that was never proven. */
  readonly provenAtMs: number
  /** The worst of those that are degraded or lost. */
  readonly endangered: readonly EndangeredSnapshot[]
}

export interface EndangeredSnapshot {
  readonly snapshotId: string
  readonly durability: Durability
}

export interface Snapshot {
  readonly snapshotId: SnapshotId
  /** A serialized `SnapshotManifest`; `format/manifest.ts` reads it. */
  readonly manifest: Uint8Array
  readonly commitSequence: number
  readonly committedAtMs: number
  readonly durability: Durability
  /** 0 for a backup. */
  readonly fileVersion: number
  /** Until when it can be brought back from the trash; 0 unless it was forgotten. */
  readonly expiresAtMs: number
  /** Why it must not be forgotten, empty if nobody said why; undefined when it may be. */
  readonly pin: string | undefined
  /** The tags that people gave it since; undefined as long as it has those of its manifest. */
  readonly tags: readonly string[] | undefined
}

/** A snapshot that was just committed, with what makes its commit unforgettable. */
export interface CommittedSnapshot extends Snapshot {
  /** To be recorded by `witnessesNeeded` nodes before anybody is told that the snapshot is there. */
  readonly statement: WitnessStatement
  readonly witnessesNeeded: number
}

/** Whether the nodes confirm that the manager's catalogue is the newest one. */
export type LineageState = 'unverified' | 'verified' | 'rolled-back'

export interface SnapshotPack {
  readonly packId: PackId
  readonly lengthBytes: number
  readonly copies: readonly PackCopy[]
}

export interface PackCopy {
  readonly node: NodeRef
  readonly state: NodeState
  readonly provenAtMs: number
}

export interface FileRecord {
  readonly name: string
  readonly version: number
  readonly deleted: boolean
  readonly createdAtMs: number
  readonly snapshot: Snapshot | undefined
}

export interface Operation {
  readonly number: number
  readonly kind: string
  readonly timeMs: number
  readonly actor: string
  readonly subject: string
  readonly result: 'ok' | 'failed' | 'abandoned'
  readonly detail: string
  readonly snapshotId: string
  readonly durationMs: number
}

export interface ClusterStatus {
  readonly clusterId: ClusterId
  readonly epoch: number
  readonly safeMode: boolean
  readonly nodes: readonly NodeInfo[]
  readonly snapshots: number
  readonly safety: SnapshotSafety
  readonly packs: number
  readonly packsDegraded: number
  readonly packsUnavailable: number
  readonly chunks: number
  readonly storedBytes: number
  readonly sessionsOpen: number
  readonly lastBackupMs: number
  readonly programVersion: string
  readonly lineage: LineageState
  /** What is missing or wrong about it; empty when it is verified. */
  readonly lineageProblem: string
  /** Packs on nodes that the catalogue has never heard of. */
  readonly packsUnknown: number
  /** Copies that nodes have put aside. */
  readonly copiesDamaged: number
  /** The manager's clock. */
  readonly managerTimeMs: number
}

/** How far an unfinished backup came. It is no snapshot. */
export interface Checkpoint {
  /** As of a snapshot; its tree has what was finished, and what the backup's own parent had of the rest. */
  readonly manifest: Uint8Array
  readonly createdAtMs: number
  /** How many packs are kept for it. */
  readonly packs: number
}

/** Why a session ends without a snapshot that has done what it was for. */
export const unchangedReason = 'nothing had changed'
