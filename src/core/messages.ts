/** Requests and answers of the manager as plain data. Their meaning, idempotency and errors: `manager.proto`. */
import type { ChunkId, ClusterId, Incarnation, NodeId, PackId, SessionId, SnapshotId } from './ids.ts'
import type { ErrorCode } from './errors.ts'
import type {
  Checkpoint,
  LogEntry,
  LogPosition,
  NodeRef,
  NodeState,
  PackEntry,
  Receipt,
  Snapshot,
  Ticket,
} from './model.ts'

export interface Page<T> {
  readonly items: readonly T[]
  /** Empty when this was the last page. */
  readonly nextPageToken: string
}

export interface PageRequest {
  /** 0 means the default. */
  readonly pageSize: number
  /** Empty for the first page. */
  readonly pageToken: string
}

/** What a store has of the manager's log. Both are undefined for a store that never heard of it. */
export interface LogReport {
  /** Its newest entry. */
  readonly log?: LogPosition | undefined
  /** The newest position that it was ever told. */
  readonly witnessed?: LogPosition | undefined
}

export interface RegisterRequest extends LogReport {
  readonly node: NodeRef
  readonly bootId: string
  /** Of the store, which starts of processes it has seen; absent or 0 from one that does not count them. */
  readonly bootNumber?: number
  readonly capacityBytes: number
  readonly usedBytes: number
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly putSequence: number
  /** Undefined at the very first registration. */
  readonly clusterId: ClusterId | undefined
  readonly programVersion: string
}

export interface Registration {
  readonly clusterId: ClusterId
  readonly registrationNumber: number
  /** Ed25519, 32 bytes. */
  readonly managerPublicKey: Uint8Array
  readonly heartbeatIntervalMs: number
  readonly leaseMs: number
  readonly managerTimeMs: number
  readonly epoch: number
}

/** Which process of a node speaks. */
export interface Sender {
  readonly nodeId: NodeId
  readonly incarnation: Incarnation
  readonly registrationNumber: number
  /** The process that registered; undefined from a program that does not say. */
  readonly bootId?: string
}

export interface Heartbeat extends Sender, LogReport {
  readonly sequence: number
  readonly capacityBytes: number
  readonly usedBytes: number
  readonly freeBytes: number
  readonly packs: number
  readonly putSequence: number
  /** 32 bytes. */
  readonly inventoryDigest: Uint8Array
  readonly uploads: number
  readonly writable: boolean
  readonly problem: string
  readonly results: readonly OrderResult[]
  readonly damaged: readonly DamagedCopy[]
  readonly proven: readonly ProvenCopy[]
  /** What the store holds may still be read, but is to be copied elsewhere. */
  readonly storeFailed: boolean
}

export interface OrderResult {
  readonly orderId: string
  readonly done: boolean
  readonly problem: string
  /** Undefined when it was done, or when nothing is known. */
  readonly code: ErrorCode | undefined
  /** Of the target of `copy-pack`. */
  readonly receipt: Receipt | undefined
}

export interface DamagedCopy {
  readonly packId: PackId
  readonly putSequence: number
  readonly problem: string
  readonly foundAtMs: number
}

export interface ProvenCopy {
  readonly packId: PackId
  readonly putSequence: number
  readonly provenAtMs: number
}

export interface InventoryReport extends Sender {
  /** Grows with each report of a registration. */
  readonly reportNumber: number
  /** About newer puts the report says nothing. */
  readonly asOfPutSequence: number
  readonly packs: readonly InventoryEntry[]
}

export interface InventoryEntry {
  readonly packId: PackId
  readonly generation: number
  readonly putSequence: number
  readonly lengthBytes: number
  /** 0 when never since it was written. */
  readonly provenAtMs: number
}

export interface DropPack {
  readonly kind: 'drop-pack'
  readonly packId: PackId
  readonly incarnation: Incarnation
  readonly putSequenceMax: number
  readonly generationMax: number
}

export interface CopyPack {
  readonly kind: 'copy-pack'
  readonly packId: PackId
  readonly incarnation: Incarnation
  readonly ticket: Ticket
  readonly target: NodeRef
  /** 0 means as fast as it goes. */
  readonly bytesPerSecondMax: number
}

/** A record by which a pack is told from others. */
export interface ExpectedRecord {
  readonly chunkId: ChunkId
  readonly offset: number
  readonly length: number
}

export interface BadCopyReport {
  readonly packId: PackId
  readonly nodeId: NodeId
  readonly problem: string
}

export interface VerifyPack {
  readonly kind: 'verify-pack'
  readonly packId: PackId
  readonly incarnation: Incarnation
  /** A record that it must have; undefined when none is known. */
  readonly expected?: ExpectedRecord | undefined
}

export interface DiscardDamaged {
  readonly kind: 'discard-damaged'
  readonly packId: PackId
  readonly incarnation: Incarnation
  readonly putSequence: number
}

/** An order that says nothing more. */
export interface PlainOrder<Kind extends string> {
  readonly kind: Kind
}
export type SendInventory = PlainOrder<'send-inventory'>
export type SendRecords = PlainOrder<'send-records'>
export type StopNode = PlainOrder<'stop'>

export interface KeepCatalogue {
  readonly kind: 'keep-catalogue'
  readonly name: string
  readonly lengthBytes: number
  /** 32 bytes. */
  readonly hash: Uint8Array
}

/** What `manager.proto` calls the action of an order. */
export type OrderAction =
  DropPack | CopyPack | VerifyPack | SendInventory | DiscardDamaged | SendRecords | KeepCatalogue | StopNode

export interface Order {
  readonly orderId: string
  readonly epoch: number
  readonly action: OrderAction | { readonly kind: 'unknown' }
}

export interface HeartbeatReply {
  readonly leaseMs: number
  readonly managerTimeMs: number
  readonly epoch: number
  readonly orders: readonly Order[]
  readonly state: NodeState
  /** How far the manager's log is; undefined when the node knows what the manager does not. */
  readonly logHead?: LogPosition | undefined
  /** The entries after the node's newest. */
  readonly logEntries?: readonly LogEntry[]
}

/** Everything that a node knows, a piece at a time: its log first, then its packs. */
export type RecordsPart =
  | { readonly kind: 'log'; readonly entries: readonly LogEntry[] }
  | {
      readonly kind: 'pack'
      readonly pack: InventoryEntry
      /** 16 bytes. */
      readonly vaultId: Uint8Array
      readonly entries: readonly PackEntry[]
      /** Of the snapshot records among the entries. */
      readonly manifests: readonly Uint8Array[]
      /** Whether these are the pack's last records. */
      readonly complete: boolean
    }
  | ({ readonly kind: 'damaged' } & DamagedCopy)

export interface RecordsReport extends Sender, LogReport {
  readonly parts: AsyncIterable<RecordsPart>
}

export interface CommitPackRequest {
  readonly ticket: Ticket
  readonly receipts: readonly Receipt[]
  readonly entries: readonly PackEntry[]
}

export interface ReplaceReplicaRequest {
  readonly ticket: Ticket
  readonly failedNodeId: NodeId
  readonly reason: string
}

export interface Replacement {
  readonly ticket: Ticket
  readonly replica: NodeRef
}

export interface BeginBackupRequest {
  readonly clientId: string
  readonly requestId: string
  /** Empty means `default`. */
  readonly vault: string
  readonly host: string
  readonly user: string
  /** Absolute paths as bytes. */
  readonly paths: readonly Uint8Array[]
  /** Empty for a backup. */
  readonly fileName: string
  /** Empty means the newest of the same host and paths. */
  readonly parent: string
  readonly noParent: boolean
}

export interface Session extends SessionRef {
  readonly leaseMs: number
  readonly parent: Snapshot | undefined
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  readonly vaultEmpty: boolean
  readonly vault: string
  /** How far an interrupted backup of the same host and paths came. */
  readonly checkpoint?: Checkpoint | undefined
}

export interface SessionRef {
  readonly sessionId: SessionId
  readonly sessionToken: string
}

export interface AllocatePackRequest {
  readonly session: SessionRef
  readonly requestId: string
  readonly lengthBytes: number
  readonly excludeNodeIds: readonly NodeId[]
  /** The node that shall be the primary, if it is able to; the manager chooses unless given. */
  readonly primaryNodeId?: NodeId | undefined
}

export interface Allocation {
  readonly packId: PackId
  readonly ticket: Ticket
  readonly primary: NodeRef
  readonly replicas: readonly NodeRef[]
}

export interface AbandonPackRequest {
  readonly session: SessionRef
  readonly packId: PackId
  readonly reason: string
}

export interface PackFate {
  readonly committed: boolean
  readonly nodes: readonly NodeRef[]
}

export interface CommitSnapshotRequest {
  readonly session: SessionRef
  readonly snapshotId: SnapshotId
  readonly manifest: Uint8Array
}

export interface SaveCheckpointRequest {
  readonly session: SessionRef
  /** Of the unfinished backup; its tree is committed. */
  readonly manifest: Uint8Array
}

export interface SnapshotFilter {
  /** Empty means `default`. */
  readonly vault: string
  /** Empty means any. */
  readonly host: string
  readonly paths: readonly Uint8Array[]
  readonly tags: readonly string[]
  /** Looks in the trash, and nowhere else. */
  readonly trash?: boolean
}

export interface ListFileVersionsRequest extends PageRequest {
  readonly vault: string
  readonly name: string
  readonly prefix: string
  readonly version: number
}

export interface PackLocation {
  readonly packId: PackId
  readonly lengthBytes: number
  /** The ones that are up first. */
  readonly nodes: readonly NodeRef[]
}

export interface ChunkLocation {
  readonly pack: PackLocation
  readonly offset: number
  readonly length: number
  readonly plainLength: number
}
