import type { NodeId } from '../core/ids.ts'
import type { ManagerContext } from './context.ts'

/**
 * Whether the manager may order copies away by itself: this catalogue is the newest, and every node that is not given
 * up has told what it holds. @param reporting a node whose list is being taken in
 */
export function mayDeleteCopies({ members, lineage }: ManagerContext, reporting?: NodeId): boolean {
  return lineage.mayDelete && !members.safeMode() && members.mayDelete(reporting)
}
