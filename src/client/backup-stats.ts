import { emptyStats } from '../format/manifest.ts'
import type { SnapshotStats } from '../format/manifest.ts'

/** The statistics of a snapshot while it is being made. */
export type BackupStats = { -readonly [Key in keyof SnapshotStats]: SnapshotStats[Key] }

export function createBackupStats(): BackupStats {
  return { ...emptyStats }
}
