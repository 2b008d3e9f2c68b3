import type { SnapshotFilter } from '../core/messages.ts'
import type { OverwriteMode } from './overwrite-mode.ts'
import type { RestoreTarget } from './restore-target.ts'

export type { OverwriteMode } from './overwrite-mode.ts'

export interface RestoreRequest {
  /** `SNAPSHOT[:subfolder]`; the subfolder's content is restored directly into the target. */
  readonly reference: string
  /** Which snapshots `latest` chooses from. */
  readonly filter?: Partial<SnapshotFilter> | undefined
  readonly target: RestoreTarget
  /** Patterns of what to restore; everything unless given. They see paths below the restored directory. */
  readonly includes?: readonly string[] | undefined
  /** Patterns of what to leave out. */
  readonly excludes?: readonly string[] | undefined
  /** For `includes` and `excludes`. */
  readonly ignoreCase?: boolean | undefined
  /** `always` unless given. */
  readonly overwrite?: OverwriteMode | undefined
  /**
   * Deletes in the target what the snapshot does not have, where it has everything: at and below the paths that were
   * backed up, as far as `includes` and `excludes` choose it. What the backup was told to leave out stays.
   */
  readonly deleteOthers?: boolean | undefined
  /** Only says what would be done. */
  readonly dryRun?: boolean | undefined
  /** Reads back what was written and compares it with the snapshot. */
  readonly verify?: boolean | undefined
}

export interface RestoreSummary {
  readonly filesRestored: number
  /** Files that were there and were left as they are. */
  readonly filesSkipped: number
  /** Those of them that the same restore had finished before it was interrupted. */
  readonly filesResumed: number
  readonly directories: number
  readonly symlinks: number
  /** Further names of files that were restored under another one; counted in `filesRestored`, too. */
  readonly hardLinks: number
  /** Length of all files that were chosen, in bytes, holes included. */
  readonly totalBytes: number
  /** Of those, the bytes of the files that were restored. */
  readonly bytesRestored: number
  /** Of those, the bytes that were already in their place and were not fetched. */
  readonly bytesReused: number
  /** Bytes of content that were fetched from nodes, each chunk as often as it was fetched. */
  readonly bytesMoved: number
  /** What was deleted because the snapshot does not have it. */
  readonly deleted: number
  /** Files whose content was read back and found equal. */
  readonly filesVerified: number
  /** Bad copies that were met on the way and that their nodes check because of that, to be replaced. */
  readonly copiesReported: number
  readonly durationMs: number
  /** What could not be restored as it was; each was told in an event. */
  readonly problems: number
  /** Those among the problems that are the fault of lost or damaged data. */
  readonly damaged: number
  /** Those among the problems of which no copy could be reached; they may well be there when nodes are back. */
  readonly unreachable: number
}
