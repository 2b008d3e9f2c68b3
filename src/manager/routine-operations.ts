import { routineOperationsKept } from '../core/request-limits.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { NewOperation } from './catalogue-rows.ts'

/**
 * Adds to the history what happens again and again with nobody deciding it: a backup that found nothing new or failed,
 * an agent that registers. Of each such kind the newest are kept. What made a snapshot, and what people decided, stays
 * for good.
 */
export async function recordRoutine(tx: CatalogueWriter, operation: NewOperation): Promise<void> {
  await tx.operations.add(operation)
  if (operation.snapshotId === '') await tx.operations.trim(operation.kind, routineOperationsKept)
}
