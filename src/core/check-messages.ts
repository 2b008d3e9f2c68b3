/** What a check of a cluster asks and is told, as plain data. Meaning and errors of the calls: `admin.proto`. */
import type { ChunkId, PackId, SnapshotId } from './ids.ts'
import type { ExpectedRecord, PageRequest } from './messages.ts'
import type { PackCopy } from './model.ts'

export type CatalogueFinding =
  | { readonly kind: 'progress'; readonly phase: CheckPhase; readonly done: number; readonly total: number }
  | {
      readonly kind: 'problem'
      readonly problem: string
      /** By which it was found; empty when it is about none. */
      readonly snapshotId: string
    }

export type CheckPhase = 'log' | 'snapshots' | 'done'

export interface ListPacksRequest extends PageRequest {
  readonly withSample: boolean
}

export interface ListedPack {
  readonly packId: PackId
  readonly vault: string
  readonly lengthBytes: number
  readonly copiesWanted: number
  readonly copies: readonly PackCopy[]
  /** Undefined when none was asked for, or nothing is read from the pack any more. */
  readonly sample: ExpectedRecord | undefined
}

export interface LossPart {
  /** In the lost packs and nowhere else. */
  readonly chunkIds: readonly ChunkId[]
  readonly snapshots: readonly HurtSnapshot[]
}

export interface HurtSnapshot {
  readonly snapshotId: SnapshotId
  readonly manifest: Uint8Array
  /** 0 for a backup. */
  readonly fileVersion: number
  /** Whether it is in the trash. */
  readonly forgotten: boolean
}
