import type { NodeRef } from '../core/model.ts'
import type { CheckPhase } from '../core/check-messages.ts'

/** Which packs are read: of `parts` equal parts the one with this number, from 1 on, or so many in a hundred. */
export type ReadSubset =
  | { readonly kind: 'all' }
  | { readonly kind: 'part'; readonly number: number; readonly parts: number }
  | { readonly kind: 'percent'; readonly percent: number }

export interface CheckRequest {
  /** Nothing is read unless given. */
  readonly readData?: ReadSubset | undefined
}

/** What is wrong with one copy of a pack. */
export interface CopyFinding {
  readonly packId: string
  readonly node: NodeRef
  /** `bad`: damaged, another pack, or gone; `unreachable`: the node could not be asked, which says nothing of it. */
  readonly verdict: 'bad' | 'unreachable'
  readonly problem: string
}

/** Something in a snapshot that cannot be restored any more. */
export interface HurtPath {
  readonly snapshotId: string
  /** As it is best shown. */
  readonly path: string
  /** A directory is hurt with everything below it, as far as that is not known from elsewhere. */
  readonly kind: 'file' | 'directory'
}

export type CheckEvent =
  | {
      readonly type: 'progress'
      readonly phase: CheckPhase | 'packs' | 'hurt'
      readonly done: number
      readonly total: number
    }
  | { readonly type: 'catalogue'; readonly problem: string; readonly snapshotId: string }
  | ({ readonly type: 'copy' } & CopyFinding)
  | { readonly type: 'pack'; readonly packId: string; readonly copies: number; readonly copiesWanted: number }
  | ({ readonly type: 'hurt' } & HurtPath)

export interface CheckSummary {
  /** What is wrong in the catalogue. */
  readonly catalogueProblems: number
  readonly packs: number
  /** Those with fewer good copies than wanted, but at least one. */
  readonly packsDegraded: number
  /** Those of which no copy is good and on a node that is not dead. */
  readonly packsLost: number
  /** Copies that were read to the last byte, and their bytes. */
  readonly copiesRead: number
  readonly bytesRead: number
  readonly copiesBad: number
  readonly copiesUnreachable: number
  /** Snapshots of which something cannot be restored. */
  readonly snapshotsHurt: readonly string[]
  readonly pathsHurt: number
  readonly durationMs: number
}
