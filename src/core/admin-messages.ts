/** Requests and answers of administrative calls as plain data. Their meaning, idempotency and errors: `admin.proto`. */
import type { ChunkId, SnapshotId } from './ids.ts'
import type { PackLocation } from './messages.ts'

/** Snapshots that an administrative call names. */
export interface SnapshotsRequest {
  /** Empty means `default`. */
  readonly vault: string
  readonly snapshotIds: readonly SnapshotId[]
  /** Who asks, for the history. */
  readonly actor: string
  /** Chosen by the caller, new for each decision: it is carried out once. Without one nothing is remembered. */
  readonly requestId?: string | undefined
}

export interface ForgetRequest extends SnapshotsRequest {
  /** The next prune may remove them without waiting. */
  readonly now: boolean
}

/** A decision is safe when so many nodes have it in their logs that no older catalogue can forget it. */
export interface Recorded {
  /** How many nodes have it now. */
  readonly recordedBy: number
  readonly wanted: number
}

export interface TagRequest extends SnapshotsRequest {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  /** Whether all tags that they have are removed first. */
  readonly clear: boolean
}

export interface PinRequest extends SnapshotsRequest {
  readonly pinned: boolean
  readonly reason: string
}

export interface DeleteFileRequest {
  /** Empty means `default`. */
  readonly vault: string
  readonly name: string
  /** Who asks, for the history. */
  readonly actor: string
  /** Chosen by the caller, new for each decision: it is carried out once. Without one nothing is remembered. */
  readonly requestId?: string | undefined
}

export interface PruneOptions {
  readonly dryRun: boolean
  readonly findRepackable: boolean
  /** Undefined means `unusedPermilleDefault`. */
  readonly unusedPermilleMax: number | undefined
  /** As in `SnapshotsRequest`. */
  readonly requestId?: string | undefined
}

export type PrunePhase =
  'waiting' | 'trash' | 'marking' | 'condemning' | 'deleting' | 'walking' | 'weighing' | 'done' | 'failed'

/** How far a prune is; `admin.proto` has the meaning of each figure. */
export interface PruneState {
  readonly run: number
  readonly phase: PrunePhase
  readonly problem: string
  readonly dryRun: boolean
  readonly done: number
  readonly total: number
  readonly snapshotsRemoved: number
  readonly packsCondemned: number
  readonly bytesCondemned: number
  readonly packsDeleted: number
  readonly bytesDeleted: number
  readonly packsWaiting: number
  readonly bytesWaiting: number
  readonly packsRepackable: number
  readonly bytesToMove: number
  readonly bytesToFree: number
  readonly bytesUnused: number
}

export interface BeginRepackRequest {
  readonly clientId: string
  readonly requestId: string
  readonly vault: string
  readonly host: string
  readonly user: string
}

export interface NeededRecord {
  readonly chunkId: ChunkId
  readonly offset: number
  readonly length: number
}

export interface RepackablePack {
  readonly pack: PackLocation
  readonly records: readonly NeededRecord[]
}
