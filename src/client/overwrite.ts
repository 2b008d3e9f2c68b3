import { TwofoldError } from '../core/errors.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { OverwriteMode } from './restore-request.ts'
import type { TargetStat } from './restore-target.ts'

/** `keep` leaves what is there; `same` does so because it is the snapshot's file already. */
export type OverwriteDecision = 'write' | 'keep' | 'same'

/** Times closer than this are the same: not every file system, and not every runtime, keeps nanoseconds. */
const timeToleranceNs = 1000n

/**
 * What to do with a file or link whose name is taken, or not.
 * @param ownSinceNs files that changed later were made by the same restore, which was interrupted
 * @throws TwofoldError `failed-precondition` when a directory has the name.
 */
export function decideOverwrite(
  mode: OverwriteMode,
  entry: TreeEntry,
  { existing, ownSinceNs }: { existing: TargetStat | undefined; ownSinceNs?: bigint | undefined },
): OverwriteDecision {
  if (existing === undefined) return 'write'
  if (mode === 'never') return 'keep'
  if (existing.type === 'directory') {
    throw new TwofoldError('failed-precondition', 'a directory has the name; it is not replaced by a file')
  }
  if (mode === 'if-newer') return entry.mtimeNs - existing.mtimeNs > timeToleranceNs ? 'write' : 'keep'
  const comparing = mode === 'if-changed' || isOwn(existing, ownSinceNs)
  if (comparing && looksEqual(entry, existing)) return 'same'
  return 'write'
}

export function isOwn({ ctimeNs }: TargetStat, ownSinceNs: bigint | undefined): boolean {
  return ownSinceNs !== undefined && ctimeNs > ownSinceNs
}

function looksEqual(entry: TreeEntry, existing: TargetStat): boolean {
  const apart = entry.mtimeNs - existing.mtimeNs
  const sameTime = apart <= timeToleranceNs && apart >= -timeToleranceNs
  return entry.type === 'file' && existing.type === 'file' && entry.size === existing.size && sameTime
}
