import type { SnapshotFilter } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import { allPages } from './paged.ts'
import { completeFilter, resolveSnapshot, toSnapshotInfo } from './snapshot-info.ts'
import type { SnapshotInfo } from './snapshot-info.ts'
import type { ReadDeps } from './snapshot-tree.ts'

export interface StatsInfo {
  readonly snapshots: number
  /** What a restore would write, in bytes, holes included; of all snapshots together. */
  readonly restoreBytes: number
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  /** The packs that hold it, each counted once. */
  readonly packs: number
  /** Length of these packs in bytes, one copy. */
  readonly packBytes: number
  /** Length of all their copies in bytes. */
  readonly storedBytes: number
}

export interface StatsRequest {
  /** One snapshot; all that the filter allows unless given. */
  readonly reference?: string | undefined
  readonly filter?: Partial<SnapshotFilter> | undefined
}

/** @throws TwofoldError `not-found`, `ambiguous` */
export async function collectStats(
  deps: ReadDeps,
  { reference, filter }: StatsRequest,
  options: CallOptions = {},
): Promise<StatsInfo> {
  const total = { snapshots: 0, restoreBytes: 0, files: 0, directories: 0, symlinks: 0 }
  const packs = new Map<string, { lengthBytes: number; copies: number }>()
  const add = async (snapshot: SnapshotInfo): Promise<void> => {
    const { stats } = snapshot.manifest
    total.snapshots += 1
    total.restoreBytes += stats.totalBytes
    total.files += stats.filesNew + stats.filesChanged + stats.filesUnmodified
    total.directories += stats.directories
    total.symlinks += stats.symlinks
    const pages = allPages((page) => deps.manager.listSnapshotPacks(snapshot.id, page, options))
    for await (const { packId, lengthBytes, copies } of pages) packs.set(packId, { lengthBytes, copies: copies.length })
  }
  if (reference !== undefined) {
    await add(await resolveSnapshot(deps.manager, { reference, filter }, options))
  } else {
    const pages = allPages((page) => deps.manager.listSnapshots(completeFilter(filter), page, options))
    for await (const snapshot of pages) await add(toSnapshotInfo(snapshot))
  }
  let packBytes = 0
  let storedBytes = 0
  for (const { lengthBytes, copies } of packs.values()) {
    packBytes += lengthBytes
    storedBytes += lengthBytes * copies
  }
  return { ...total, packs: packs.size, packBytes, storedBytes }
}
