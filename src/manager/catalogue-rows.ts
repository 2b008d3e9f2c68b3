/** What the catalogue keeps, as plain data. `id`s are compact row numbers that mean nothing outside the catalogue. */
import type { ChunkId, NodeId, PackId, SessionId, SnapshotId } from '../core/ids.ts'
import type { DropPack } from '../core/messages.ts'
import type { NodeRef, Operation, RecordKind, Ticket } from '../core/model.ts'

export interface VaultRow {
  readonly id: number
  readonly name: string
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  readonly copies: number
  readonly minCopies: number
  readonly chunks: number
  readonly packs: number
  readonly storedBytes: number
}

/** What people decided about a node; the rest of its state follows from heartbeats and time. */
export type NodeAdminState = 'active' | 'draining' | 'drained' | 'removed'

export interface NodeRow {
  readonly id: number
  readonly ref: NodeRef
  readonly bootId: string
  /** The highest that a process of the store registered with. */
  readonly bootNumber: number
  readonly registrationNumber: number
  readonly capacityBytes: number
  readonly usedBytes: number
  readonly publicKey: Uint8Array
  /** The highest put of this incarnation that is known to be durable. */
  readonly putSequence: number
  readonly admin: NodeAdminState
  readonly programVersion: string
}

/** What a session may do: commit one snapshot, or move chunks between packs. */
export type SessionKind = 'backup' | 'repack'

export type SessionState = 'open' | 'committed' | 'ended' | 'expired'

export interface SessionRow {
  readonly id: number
  readonly kind: SessionKind
  readonly sessionId: SessionId
  readonly token: string
  readonly vault: number
  readonly clientId: string
  readonly requestId: string
  readonly host: string
  readonly user: string
  readonly paths: readonly Uint8Array[]
  readonly fileName: string
  readonly noParent: boolean
  /** Empty when there is none. */
  readonly parent: string
  readonly state: SessionState
  readonly begunAtMs: number
  /** Empty until it committed. */
  readonly snapshotId: string
}

/**
 * A condemned pack is needed by no snapshot, and goes when the sessions that may have relied on it are over. Rows of
 * deleted and abandoned ones stay: they are the evidence that a copy may go.
 */
export type PackState = 'open' | 'committed' | 'condemned' | 'deleted' | 'abandoned'

export interface PackRow {
  readonly id: number
  readonly packId: PackId
  readonly vault: number
  readonly session: number
  readonly requestId: string
  readonly state: PackState
  readonly generation: number
  /** Allocated while open, actual once committed. */
  readonly lengthBytes: number
  /** While it is condemned: the newest session that had begun when it was. */
  readonly condemnedSession: number
}

/** Chunks of one pack were found in, or copied to, another one, and are read from there. */
export interface MoveRow {
  readonly number: number
  readonly from: number
  readonly to: number
}

/** One pipeline that a pack had; the nodes are in the ticket's claims. */
export interface GenerationRow {
  readonly generation: number
  /** The node that this generation replaced; empty for the first. */
  readonly failedNodeId: NodeId | ''
  readonly ticket: Ticket
}

export interface CopyRow {
  readonly node: number
  readonly putSequence: number
  readonly provenAtMs: number
}

/** A copy with the row of its pack. */
export interface PackCopyRow {
  readonly pack: number
  readonly node: number
  readonly provenAtMs: number
}

/** A copy as seen from its node. */
export interface NodeCopyRow {
  /** Row of the pack. */
  readonly pack: number
  readonly packId: PackId
  readonly vault: number
  readonly state: PackState
  readonly lengthBytes: number
  readonly putSequence: number
}

/** A committed pack with all its copies. */
export interface PackCopiesRow {
  readonly pack: number
  readonly vault: number
  readonly lengthBytes: number
  readonly copies: readonly Pick<CopyRow, 'node' | 'putSequence'>[]
}

/** What the manager holds to be on a node, and the last list of a node that it took in. */
export interface InventoryRow {
  /** XOR over the node's copies of BLAKE3-256(pack id, put sequence as 8 bytes, little endian); 32 bytes. */
  readonly copiesDigest: Uint8Array
  readonly registrationNumber: number
  readonly reportNumber: number
  readonly asOfPutSequence: number
}

/** A copy that its node has put aside. */
export interface DamagedRow {
  /** Row of the node. */
  readonly node: number
  readonly packId: PackId
  readonly putSequence: number
  readonly problem: string
  readonly foundAtMs: number
}

/** A pack on a node that the catalogue has never heard of. */
export interface UnknownPackRow {
  readonly packId: PackId
  readonly putSequence: number
  readonly lengthBytes: number
}

export interface ChunkRow {
  readonly pack: number
  readonly offset: number
  readonly length: number
  readonly plainLength: number
  readonly kind: RecordKind
}

/** A chunk with where it is in a pack. */
export interface PackChunkRow extends ChunkRow {
  readonly chunkId: ChunkId
}

export interface SnapshotRow {
  readonly commitSequence: number
  readonly snapshotId: SnapshotId
  readonly vault: number
  readonly tree: ChunkId
  readonly manifest: Uint8Array
  readonly committedAtMs: number
  /** Empty for a backup. */
  readonly fileName: string
  readonly fileVersion: number
  /** Until when it can be brought back from the trash; 0 unless it was forgotten. */
  readonly expiresAtMs: number
  /** Why it must not be forgotten, empty if nobody said why; undefined when it may be. */
  readonly pin: string | undefined
  /** The tags that people gave it since; undefined as long as it has those of its manifest. */
  readonly tags: readonly string[] | undefined
}

/** What garbage collection needs of a snapshot. */
export interface SnapshotSetRow {
  readonly commitSequence: number
  readonly vault: number
  readonly snapshotId: SnapshotId
  readonly expiresAtMs: number
  /** As `pack-set.ts` encodes them. */
  readonly packs: Uint8Array
}

export interface NewSnapshot extends Omit<SnapshotRow, 'commitSequence' | 'expiresAtMs' | 'pin' | 'tags'> {
  readonly host: string
  /** Equal for equal sets of paths. */
  readonly pathsKey: Uint8Array
  /** The packs it needs, as `pack-set.ts` encodes them. */
  readonly packs: Uint8Array
}

export interface FileRow {
  readonly name: string
  readonly version: number
  readonly deleted: boolean
  readonly createdAtMs: number
  /** Undefined for a deletion. */
  readonly snapshot: SnapshotRow | undefined
}

export interface OrderRow {
  readonly orderId: string
  /** The entry of the log that it rests on: it is given only when enough nodes have that. 0 or absent for none. */
  readonly logSequence?: number
  readonly action: DropPack
}

export interface LogRow {
  readonly sequence: number
  readonly previousHash: Uint8Array
  readonly hash: Uint8Array
  readonly kind: string
  readonly payload: Uint8Array
}

export type NewOperation = Omit<Operation, 'number'>

export interface RecoveredSnapshot {
  readonly snapshotId: SnapshotId
  readonly vault: number
  readonly manifest: Uint8Array
}

export interface RecoveredTree {
  readonly id: number
  readonly vault: number
  readonly chunkId: ChunkId
  readonly refs: Uint8Array
}

/** A request of somebody's that was carried out or refused, and its answer. */
export interface RequestRow {
  readonly requestId: string
  readonly timeMs: number
  /** Of all that was asked. */
  readonly digest: Uint8Array
  /** As JSON. */
  readonly answer: string
}
