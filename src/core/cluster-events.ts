/** What happens in a cluster, as those who watch it are told. Meaning: `manager.proto`. */
import type { Operation } from './model.ts'

export type ClusterEvent =
  | {
      readonly kind: 'node'
      readonly timeMs: number
      readonly node: string
      readonly before: string
      readonly after: string
    }
  | {
      readonly kind: 'durability'
      readonly timeMs: number
      readonly snapshotId: string
      /** `2/2`, `1/2 repairing`, `0/2 lost`. */
      readonly before: string
      readonly after: string
    }
  | { readonly kind: 'repair'; readonly timeMs: number; readonly before: string; readonly after: string }
  | { readonly kind: 'operation'; readonly timeMs: number; readonly operation: Operation }

export interface WatchedEvent {
  /** Undefined: nothing happened, the stream is alive. */
  readonly event: ClusterEvent | undefined
  /** To go on after this one. */
  readonly resumeToken: string
  /** What happened before it is not known any more. */
  readonly gap: boolean
}
