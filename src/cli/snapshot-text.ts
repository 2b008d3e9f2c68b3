import type { SnapshotInfo } from '../client/index.ts'
import { copiesText, safetyOf } from '../core/durability-text.ts'
import type { Durability } from '../core/model.ts'
import { toHex } from '../core/ids.ts'
import { formatAgo, plural } from '../core/human-format.ts'
import { jsonTimeMs, jsonTimeNs } from './json-time.ts'
import { safeText } from '../core/safe-text.ts'

/** `2/2 fsynced copies on 2 failure domains (n1, n2), proven just now` */
export function describeDurability(durability: Durability, nowMs: number): string {
  const names = durability.nodes.map((node) => safeText(node.name)).sort()
  const where = `${plural(durability.failureDomains, 'failure domain')} (${names.join(', ')})`
  const lost =
    durability.packsUnavailable > 0 ? `; ${plural(durability.packsUnavailable, 'pack')} without any copy` : ''
  const proven = formatAgo(durability.provenAtMs, nowMs)
  return `${copiesText(durability)} fsynced copies on ${where}, proven ${proven}${lost}`
}

/** A snapshot in restic's fields, and its copies, which restic has no word for. */
export function snapshotRecord(snapshot: SnapshotInfo): Record<string, unknown> {
  const { manifest } = snapshot
  return {
    time: jsonTimeNs(manifest.timeNs),
    ...(manifest.parent === '' ? {} : { parent: manifest.parent }),
    tree: toHex(manifest.tree),
    paths: manifest.paths.map((path) => Buffer.from(path).toString('utf8')),
    hostname: manifest.host,
    username: manifest.user,
    excludes: manifest.excludes,
    tags: manifest.tags,
    program_version: manifest.program,
    ...(manifest.fileName === '' ? {} : { file_name: manifest.fileName, file_version: snapshot.fileVersion }),
    summary: { ...statsRecord(manifest.stats), committed_at: jsonTimeMs(snapshot.committedAtMs) },
    durability: durabilityRecord(snapshot.durability),
    ...(snapshot.expiresAtMs === 0 ? {} : { expires_at: jsonTimeMs(snapshot.expiresAtMs) }),
    ...(snapshot.pin === undefined ? {} : { pinned: true, pin_reason: snapshot.pin }),
    vault: manifest.vault,
    id: snapshot.id,
    short_id: snapshot.shortId,
  }
}

export function statsRecord(stats: SnapshotInfo['manifest']['stats']): Record<string, number> {
  return {
    files_new: stats.filesNew,
    files_changed: stats.filesChanged,
    files_unmodified: stats.filesUnmodified,
    dirs_total: stats.directories,
    symlinks_total: stats.symlinks,
    data_blobs: stats.chunksNew,
    data_added: stats.newBytes,
    data_added_packed: stats.storedBytes,
    data_read: stats.readBytes,
    total_files_processed: stats.filesNew + stats.filesChanged + stats.filesUnmodified,
    total_bytes_processed: stats.totalBytes,
    errors: stats.errors,
    skipped: stats.skipped,
  }
}

export function durabilityRecord(durability: Durability): Record<string, unknown> {
  return {
    copies: durability.copies,
    copies_wanted: durability.copiesWanted,
    failure_domains: durability.failureDomains,
    packs: durability.packs,
    packs_degraded: durability.packsDegraded,
    packs_unavailable: durability.packsUnavailable,
    state: safetyOf(durability),
    repair: durability.repair,
    proven_at: durability.provenAtMs === 0 ? null : jsonTimeMs(durability.provenAtMs),
    nodes: durability.nodes.map((node) => node.name).sort(),
  }
}
