import type { ClusterStatus } from './model.ts'

/** Whether nobody need look after the cluster. */
export function isWell(status: ClusterStatus): boolean {
  const allUp = status.nodes.every(({ state, writable }) => state === 'removed' || (state === 'up' && writable))
  const allCopies = status.packsDegraded === 0 && status.packsUnavailable === 0 && status.packsUnknown === 0
  return allUp && allCopies && status.lineage === 'verified' && !status.safeMode
}
