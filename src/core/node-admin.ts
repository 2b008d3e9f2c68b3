/** What people ask about nodes and about work in the background, as plain data. Meaning: `node_admin.proto`. */
import type { NodeState } from './model.ts'

export interface NodeRequest {
  /** Name or id. */
  readonly node: string
  readonly dryRun: boolean
  /** Only for removing. */
  readonly force: boolean
  /** For the history. */
  readonly actor: string
}

export interface NodeOutlook {
  readonly node: string
  /** After the call; in a dry run, as it is. */
  readonly state: NodeState
  /** Whether the call changed anything, or would. */
  readonly changed: boolean
  readonly packs: number
  readonly bytes: number
  /** Where what has to move would go, about. */
  readonly targets: readonly ByteShare[]
  /** Packs with no other copy on a node that is not dead. */
  readonly lastCopies: number
  /** Packs that have fewer copies than wanted without the node. */
  readonly short: number
  /** Backups that need one of these. */
  readonly snapshots: number
  /** The first of them. */
  readonly snapshotIds: readonly string[]
}

export interface ByteShare {
  readonly node: string
  readonly bytes: number
}

export interface RebalanceRequest {
  readonly dryRun: boolean
  readonly stop: boolean
  /** For the history. */
  readonly actor: string
}

export interface RebalanceOutlook {
  readonly running: boolean
  /** Bytes that nodes have beyond the mean share, and about where they would go. */
  readonly bytes: number
  readonly from: readonly ByteShare[]
  readonly to: readonly ByteShare[]
}

export const taskKinds = ['repair', 'drain', 'rebalance'] as const

export interface Task {
  readonly kind: (typeof taskKinds)[number]
  /** Name of a node; empty for the whole cluster. */
  readonly subject: string
  readonly packsDone: number
  readonly packsTotal: number
  readonly bytesDone: number
  readonly bytesTotal: number
  readonly bytesPerSecond: number
  /** Packs on their way now. */
  readonly running: number
  /** In words; empty while it goes on. */
  readonly waitsFor: string
}

export const shutdownPhases = ['off', 'draining', 'nodes', 'manager'] as const

/** Not begun; waits for running backups; for the nodes to stop; the manager stops. */
export type ShutdownPhase = (typeof shutdownPhases)[number]

export interface ShutdownRequest {
  readonly dryRun: boolean
  /** Running backups are not waited for. */
  readonly now: boolean
  /** Ends a shutdown that waits for backups. */
  readonly cancel: boolean
  /** For the history. */
  readonly actor: string
  /** Chosen by the caller, new for each decision. */
  readonly requestId?: string | undefined
}

export interface ShutdownState {
  readonly phase: ShutdownPhase
  /** Backups that are running. */
  readonly sessions: number
  /** Names of the nodes that are there; while they are being stopped, those that have not said that they do. */
  readonly nodes: readonly string[]
  /** Names of nodes that cannot be told, because they are silent. */
  readonly silent: readonly string[]
}
