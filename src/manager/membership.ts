import type { NodeState } from '../core/model.ts'
import type { NodeAdminState } from './catalogue-rows.ts'
import type { ManagerTiming } from './timing.ts'

export interface Presence {
  readonly admin: NodeAdminState
  /** When the manager came to know this process of the node: its own start, or the registration. Monotonic. */
  readonly sinceMs: number
  /** Monotonic time of the last heartbeat since then; undefined when there was none. */
  readonly heardMs: number | undefined
}

type Limits = Pick<ManagerTiming, 'suspectAfterMs' | 'deadAfterMs'>

/** What the manager makes of a node at the monotonic time `nowMs`. */
export function nodeState(node: Presence, nowMs: number, timing: Limits): NodeState {
  if (node.admin === 'removed') return 'removed'
  const silentMs = nowMs - (node.heardMs ?? node.sinceMs)
  if (silentMs >= timing.deadAfterMs) return 'dead'
  if (node.heardMs === undefined) return 'joining'
  if (silentMs >= timing.suspectAfterMs) return 'suspect'
  return node.admin === 'active' ? 'up' : node.admin
}

/** Whether a copy on a node in this state counts as one. */
export function copiesCount(state: NodeState): boolean {
  return state !== 'dead' && state !== 'removed'
}

/** After a start nothing is repaired or deleted until every node has reported, or has had the time to. */
export function isSafeMode(nodes: readonly Presence[], elapsedMs: number, timing: Limits): boolean {
  if (elapsedMs >= timing.deadAfterMs) return false
  return nodes.some((node) => node.admin !== 'removed' && node.heardMs === undefined)
}
