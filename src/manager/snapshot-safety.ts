import { endangeredShownMax } from '../core/limits.ts'
import type { Durability, EndangeredSnapshot, SnapshotSafety } from '../core/model.ts'
import type { ManagerContext } from './context.ts'
import { keptSnapshots } from './kept-snapshots.ts'

/** All backups that are not in the trash, each with how safe it is now. */
export async function* eachSnapshot(
  context: ManagerContext,
): AsyncGenerator<{ readonly commitSequence: number; readonly snapshotId: string; readonly durability: Durability }> {
  for await (const { row, vault } of keptSnapshots(context)) {
    const { commitSequence, snapshotId } = row
    const durability = await context.durability.ofSnapshot(commitSequence, vault.copies)
    yield { commitSequence, snapshotId, durability }
  }
}

interface Ranked extends EndangeredSnapshot {
  readonly commitSequence: number
}

/** How many backups are how safe, and the ones that are not. What is known of each is remembered, see `durability`. */
export async function snapshotSafety(context: ManagerContext): Promise<SnapshotSafety> {
  const endangered: Ranked[] = []
  let full = 0
  let degraded = 0
  let lost = 0
  let failureDomains = Infinity
  let provenAtMs = Infinity
  for await (const snapshot of eachSnapshot(context)) {
    const { durability } = snapshot
    failureDomains = Math.min(failureDomains, durability.failureDomains)
    provenAtMs = Math.min(provenAtMs, durability.provenAtMs)
    if (durability.packsUnavailable > 0) lost += 1
    else if (durability.packsDegraded > 0) degraded += 1
    else full += 1
    if (durability.packsDegraded > 0) endangered.push(snapshot)
    if (endangered.length > 2 * endangeredShownMax) keepWorst(endangered)
  }
  keepWorst(endangered)
  const none = full + degraded + lost === 0
  return {
    ...{ full, degraded, lost },
    failureDomains: none ? 0 : failureDomains,
    provenAtMs: none ? 0 : provenAtMs,
    endangered: endangered.map(({ snapshotId, durability }) => ({ snapshotId, durability })),
  }
}

/** Those with the fewest copies, the newest first among equals. */
function keepWorst(endangered: Ranked[]): void {
  endangered.sort((a, b) => a.durability.copies - b.durability.copies || b.commitSequence - a.commitSequence)
  endangered.splice(endangeredShownMax)
}
