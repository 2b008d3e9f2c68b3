import * as limits from '../core/limits.ts'

/** How the manager judges silence, in milliseconds. */
export interface ManagerTiming {
  readonly heartbeatIntervalMs: number
  readonly suspectAfterMs: number
  readonly deadAfterMs: number
  readonly nodeLeaseMs: number
  readonly sessionLeaseMs: number
  /** How long forgotten snapshots can be brought back. */
  readonly trashWindowMs: number
}

export const defaultTiming: ManagerTiming = {
  heartbeatIntervalMs: limits.heartbeatIntervalMs,
  suspectAfterMs: limits.nodeSuspectAfterMs,
  deadAfterMs: limits.nodeDeadAfterMs,
  nodeLeaseMs: limits.nodeLeaseMs,
  sessionLeaseMs: limits.sessionLeaseMs,
  trashWindowMs: limits.trashWindowMs,
}
