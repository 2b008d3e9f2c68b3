import type { NodeState } from '../core/model.ts'
import type { NodeAdminState } from './catalogue-rows.ts'
import type { ManagerTiming } from './timing.ts'

export interface Presence {
  readonly admin: NodeAdminState
  /** When the manager came to know this process of the node: its own start, or the registration. Monotonic. */
  readonly sinceMs: number
  /** Monotonic time of the last heartbeat since then; undefined when there was none. */
  readonly heardMs: number | undefined
  /** Its disk failed: what it holds can be read, but is to be copied elsewhere. */
  readonly storeFailed: boolean
}

type Limits = Pick<ManagerTiming, 'suspectAfterMs' | 'deadAfterMs'>

/** What the manager makes of a node at the monotonic time `nowMs`. */
export function nodeState(node: Presence, nowMs: number, timing: Limits): NodeState {
  if (node.admin === 'removed') return 'removed'
  const silentMs = nowMs - (node.heardMs ?? node.sinceMs)
  if (silentMs >= timing.deadAfterMs) return 'dead'
  if (node.heardMs === undefined) return 'joining'
  if (silentMs >= timing.suspectAfterMs) return 'suspect'
  if (node.admin === 'active') return node.storeFailed ? 'draining' : 'up'
  return node.admin
}

/** Whether a copy on a node in this state counts as one. */
export function copiesCount(state: NodeState): boolean {
  return state !== 'dead' && state !== 'removed'
}

export interface Awaited {
  readonly admin: NodeAdminState
  /** Whether its list of packs was taken in since the manager's start. */
  readonly reported: boolean
}

/**
 * After a start the manager repairs, expires and deletes nothing by itself until every node that it knew has told what
 * it holds, or has had the time to.
 */
export function isSafeMode(nodes: readonly Awaited[], elapsedMs: number, timing: Limits): boolean {
  if (elapsedMs >= timing.deadAfterMs) return false
  return nodes.some((node) => node.admin !== 'removed' && !node.reported)
}

export interface Witness {
  readonly state: NodeState
  /** Whether its list of packs was taken in since it registered, and since it was last given up for dead. */
  readonly reported: boolean
}

/** Whether anything may be deleted: every node that is not given up must have told what it holds. */
export function mayDelete(nodes: readonly Witness[]): boolean {
  return nodes.every(({ state, reported }) => !copiesCount(state) || reported)
}
