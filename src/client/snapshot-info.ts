import { TwofoldError } from '../core/errors.ts'
import type { SnapshotId } from '../core/ids.ts'
import type { SnapshotFilter } from '../core/messages.ts'
import type { CallOptions, Durability, Snapshot } from '../core/model.ts'
import { decodeManifest, snapshotIdOf } from '../format/manifest.ts'
import type { Manifest } from '../format/manifest.ts'
import type { ManagerApi } from './manager-api.ts'

/** A snapshot as the catalogue has it, its manifest read. */
export interface SnapshotInfo {
  readonly id: SnapshotId
  /** The first 8 digits of the id, for people. */
  readonly shortId: string
  /** As it was stored, with the tags that the snapshot has now. */
  readonly manifest: Manifest
  readonly durability: Durability
  readonly committedAtMs: number
  readonly commitSequence: number
  /** 0 for a backup. */
  readonly fileVersion: number
  /** Until when it can be brought back from the trash; 0 unless it was forgotten. */
  readonly expiresAtMs: number
  /** Why it must not be forgotten, empty if nobody said why; undefined when it may be. */
  readonly pin: string | undefined
}

/** @throws TwofoldError `integrity` when the manifest is not the one that the id names. */
export function toSnapshotInfo(snapshot: Snapshot): SnapshotInfo {
  const { snapshotId: id, durability, committedAtMs, commitSequence, fileVersion, expiresAtMs, pin } = snapshot
  if (snapshotIdOf(snapshot.manifest) !== id) {
    throw new TwofoldError('integrity', `the manifest of snapshot ${id.slice(0, 8)} in the catalogue is damaged`)
  }
  const stored = decodeManifest(snapshot.manifest)
  const manifest = snapshot.tags === undefined ? stored : { ...stored, tags: [...snapshot.tags] }
  const rest = { durability, committedAtMs, commitSequence, fileVersion, expiresAtMs, pin }
  return { id, shortId: id.slice(0, 8), manifest, ...rest }
}

export function completeFilter(filter: Partial<SnapshotFilter> = {}): SnapshotFilter {
  const { vault = '', host = '', paths = [], tags = [], trash = false } = filter
  return { vault, host, paths, tags, trash }
}

/**
 * Finds a snapshot: `latest`, an id, or at least 4 digits of its beginning.
 * @throws TwofoldError `not-found`, `ambiguous`
 */
export async function resolveSnapshot(
  manager: ManagerApi,
  { reference, filter }: { reference: string; filter?: Partial<SnapshotFilter> | undefined },
  options: CallOptions = {},
): Promise<SnapshotInfo> {
  return toSnapshotInfo(await manager.getSnapshot(reference, completeFilter(filter), options))
}
