import { TwofoldError } from '../core/errors.ts'
import { chunkIdBytes, toHex } from '../core/ids.ts'
import type { ChunkId, SnapshotId } from '../core/ids.ts'
import { manifestBytesMax } from '../core/limits.ts'
import { SnapshotManifest } from '../gen/twofold/v1/format.ts'
import type { SnapshotStats as StoredStats } from '../gen/twofold/v1/format.ts'
import { blake3 } from './hash.ts'
import { decodeStored, toSafeNumber } from './stored-message.ts'

export const manifestVersion = 1

/** What a backup did; the fields are explained in `format.proto`. Bytes and counts. */
export interface SnapshotStats {
  readonly filesNew: number
  readonly filesChanged: number
  readonly filesUnmodified: number
  readonly directories: number
  readonly symlinks: number
  readonly totalBytes: number
  readonly readBytes: number
  readonly newBytes: number
  readonly storedBytes: number
  readonly chunksNew: number
  readonly chunksKnown: number
  readonly errors: number
  readonly skipped: number
}

export const emptyStats: SnapshotStats = {
  filesNew: 0,
  filesChanged: 0,
  filesUnmodified: 0,
  directories: 0,
  symlinks: 0,
  totalBytes: 0,
  readBytes: 0,
  newBytes: 0,
  storedBytes: 0,
  chunksNew: 0,
  chunksKnown: 0,
  errors: 0,
  skipped: 0,
}

const statNames = Object.keys(emptyStats) as (keyof SnapshotStats)[]

/** A snapshot in words; the fields are explained in `format.proto`. */
export interface Manifest {
  /** 1. */
  readonly version: number
  readonly tree: ChunkId
  readonly host: string
  readonly user: string
  /** Absolute paths as bytes. */
  readonly paths: readonly Uint8Array[]
  readonly tags: readonly string[]
  /** When the backup began, in nanoseconds. */
  readonly timeNs: bigint
  /** Empty when there was none. */
  readonly parent: string
  readonly sessionId: string
  readonly stats: SnapshotStats
  readonly program: string
  /** Empty for a backup. */
  readonly fileName: string
  readonly vault: string
  readonly excludes: readonly string[]
}

/** @throws TwofoldError `invalid-argument` when it is longer than a manifest may be. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const stats = Object.fromEntries(statNames.map((name) => [name, BigInt(manifest.stats[name])]))
  const bytes = SnapshotManifest.encode({
    ...manifest,
    paths: [...manifest.paths],
    tags: [...manifest.tags],
    excludes: [...manifest.excludes],
    stats: stats as unknown as StoredStats,
  }).finish()
  if (bytes.length > manifestBytesMax) {
    throw new TwofoldError(
      'invalid-argument',
      `the description of the snapshot has ${bytes.length} bytes, more than ${manifestBytesMax}: ` +
        'name fewer paths, tags or exclude patterns',
    )
  }
  return bytes
}

/**
 * `tree` and `paths` share memory with `bytes`.
 * @throws TwofoldError `integrity` when it is malformed, `unsupported` when it is of a newer version.
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > manifestBytesMax) throw malformed(`it has ${bytes.length} bytes`)
  const { stats, ...manifest } = decodeStored(SnapshotManifest, bytes, `a snapshot's manifest`)
  if (manifest.version !== manifestVersion) {
    throw new TwofoldError(
      'unsupported',
      `a snapshot has version ${manifest.version}; a newer version of this program may read it`,
    )
  }
  if (manifest.tree.length !== chunkIdBytes) throw malformed('it names no root tree')
  return { ...manifest, tree: manifest.tree as ChunkId, stats: readStats(stats) }
}

/** The id of the snapshot whose serialized manifest this is: the BLAKE3-256 of the bytes, in hexadecimal. */
export function snapshotIdOf(manifestBytes: Uint8Array): SnapshotId {
  return toHex(blake3(manifestBytes)) as SnapshotId
}

function readStats(stored: StoredStats | undefined): SnapshotStats {
  if (stored === undefined) return emptyStats
  const stats: Record<keyof SnapshotStats, number> = { ...emptyStats }
  for (const name of statNames) stats[name] = toSafeNumber(stored[name], `the manifest's ${name}`)
  return stats
}

function malformed(what: string): TwofoldError {
  return new TwofoldError('integrity', `a snapshot's manifest is malformed: ${what}`)
}
