import type { FileRecord } from '../core/model.ts'
import { toSnapshotInfo } from './snapshot-info.ts'

/** A version of a named file, or the fact that it was deleted. */
export interface FileVersionInfo {
  readonly name: string
  /** 1 for the first; deletions are counted too. */
  readonly version: number
  readonly deleted: boolean
  readonly lengthBytes: number
  readonly createdAtMs: number
  /** Empty for a deletion. */
  readonly snapshotId: string
  /** The fewest copies that any of its packs has; 0 for a deletion. */
  readonly copies: number
  /** Bytes that were new to the cluster, before replication. */
  readonly addedBytes: number
}

export function toFileVersion(record: FileRecord): FileVersionInfo {
  const { name, version, deleted, createdAtMs } = record
  const nothing = { lengthBytes: 0, snapshotId: '', copies: 0, addedBytes: 0 }
  if (record.snapshot === undefined) return { name, version, deleted, createdAtMs, ...nothing }
  const { id, durability, manifest } = toSnapshotInfo(record.snapshot)
  return {
    name,
    version,
    deleted,
    createdAtMs,
    lengthBytes: manifest.stats.totalBytes,
    snapshotId: id,
    copies: durability.copies,
    addedBytes: manifest.stats.storedBytes,
  }
}
