import { gcSnapshotsPerSlice } from '../../core/limits.ts'
import { appendToLog } from '../commit-log.ts'
import type { ManagerContext } from '../context.ts'
import { vaultOf } from '../vaults.ts'

/**
 * Removes snapshots whose time in the trash is over, for good: a tombstone and an entry of the log are what stays.
 * @returns how many; fewer than `gcSnapshotsPerSlice` means that these were all
 */
export async function expireTrash(context: ManagerContext): Promise<number> {
  const nowMs = context.time.nowMs()
  return context.catalogue.write(async (tx) => {
    const rows = await tx.snapshots.expired(nowMs, gcSnapshotsPerSlice)
    for (const row of rows) {
      const vault = await vaultOf(tx, row.vault)
      await tx.snapshots.remove(row.commitSequence, nowMs)
      await appendToLog(tx, 'remove', { vault: vault.name, snapshotId: row.snapshotId })
    }
    return rows.length
  })
}
