import type { HurtSnapshot } from '../core/check-messages.ts'
import { chunkKey } from '../core/ids.ts'
import type { ChunkKey, PackId, SnapshotId } from '../core/ids.ts'
import { isTwofoldError } from '../core/errors.ts'
import { lossPacksMax } from '../core/limits.ts'
import type { CallOptions } from '../core/model.ts'
import { decodeManifest } from '../format/manifest.ts'
import type { AdminApi } from './admin-api.ts'
import type { ChunkLoader } from './chunk-loader.ts'
import type { HurtPath } from './check-request.ts'
import { rootPath, showPath } from './snapshot-path.ts'
import { walkTree } from './tree-walker.ts'
import type { ListedEntry } from './tree-walker.ts'

export interface LossDeps {
  readonly admin: AdminApi
  readonly loader: ChunkLoader
}

/**
 * The files and directories of all snapshots, single files and the trash included, that cannot be restored without some
 * packs. Only snapshots that need these packs are looked into, so it takes as long as listing those.
 */
export async function* findHurt(
  deps: LossDeps,
  packs: readonly PackId[],
  options: CallOptions,
): AsyncGenerator<HurtPath> {
  const lost = new Set<ChunkKey>()
  const snapshots = new Map<SnapshotId, HurtSnapshot>()
  for (let start = 0; start < packs.length; start += lossPacksMax) {
    for await (const part of deps.admin.assessLoss(packs.slice(start, start + lossPacksMax), options)) {
      for (const id of part.chunkIds) lost.add(chunkKey(id))
      for (const snapshot of part.snapshots) snapshots.set(snapshot.snapshotId, snapshot)
    }
  }
  for (const snapshot of snapshots.values()) yield* findHurtIn(deps, { snapshot, lost }, options)
}

async function* findHurtIn(
  { loader }: LossDeps,
  { snapshot, lost }: { snapshot: HurtSnapshot; lost: ReadonlySet<ChunkKey> },
  options: CallOptions,
): AsyncGenerator<HurtPath> {
  const { snapshotId } = snapshot
  const { vault, tree } = decodeManifest(snapshot.manifest)
  const missing: HurtPath[] = []
  const onMissing = (path: Uint8Array): void =>
    void missing.push({ snapshotId, path: showPath(path), kind: 'directory' })
  const walk = walkTree({ loader, vault, tree, path: rootPath }, { signal: options.signal, onMissing })
  for await (const entry of walk) {
    yield* missing.splice(0)
    if (entry.type !== 'file' || !(await isHurt(loader, { vault, entry, lost }, options))) continue
    yield { snapshotId, path: showPath(entry.path), kind: 'file' }
  }
  yield* missing
}

async function isHurt(
  loader: ChunkLoader,
  { vault, entry, lost }: { vault: string; entry: ListedEntry; lost: ReadonlySet<ChunkKey> },
  options: CallOptions,
): Promise<boolean> {
  try {
    for await (const { chunk } of loader.extents(vault, entry, options)) {
      if (chunk !== undefined && lost.has(chunkKey(chunk))) return true
    }
    return false
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!isTwofoldError(error)) throw error
    return true
  }
}
