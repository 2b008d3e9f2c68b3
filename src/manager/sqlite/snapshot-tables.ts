import type { ChunkId, SnapshotId } from '../../core/ids.ts'
import type { FileWriter, SnapshotWriter } from '../catalogue.ts'
import type { FileRow, SnapshotRow, SnapshotSetRow } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

interface StoredSnapshot {
  readonly commit_sequence: number
  readonly snapshot_id: SnapshotId
  readonly vault: number
  readonly tree: ChunkId
  readonly manifest: Uint8Array
  readonly committed_at_ms: number
  readonly file_name: string
  readonly file_version: number
  readonly expires_at_ms: number
  readonly pin: string | null
  readonly tags: string | null
}

function toSnapshot(row: StoredSnapshot): SnapshotRow {
  return {
    commitSequence: row.commit_sequence,
    snapshotId: row.snapshot_id,
    vault: row.vault,
    tree: row.tree,
    manifest: row.manifest,
    committedAtMs: row.committed_at_ms,
    fileName: row.file_name,
    fileVersion: row.file_version,
    expiresAtMs: row.expires_at_ms,
    pin: row.pin ?? undefined,
    tags: row.tags === null ? undefined : (JSON.parse(row.tags) as string[]),
  }
}

const optional = (row: StoredSnapshot | undefined): SnapshotRow | undefined =>
  row === undefined ? undefined : toSnapshot(row)

const select = `SELECT commit_sequence, snapshot_id, vault, tree, manifest, committed_at_ms, file_name, file_version,
  expires_at_ms, pin, tags
  FROM snapshots`

export function snapshotTable(db: Statements): SnapshotWriter {
  return {
    ...garbage(db),
    find: async (id) => optional(db.get<StoredSnapshot>(`${select} WHERE snapshot_id = ?`, id)),
    async byPrefix(vault, prefix, limit) {
      // `g` sorts after every hexadecimal digit.
      const sql = `${select} WHERE snapshot_id >= ? AND snapshot_id < ? AND vault = ? ORDER BY snapshot_id LIMIT ?`
      return db.all<StoredSnapshot>(sql, prefix, `${prefix}g`, vault, limit).map(toSnapshot)
    },
    async page({ vault, host, from, order, limit, trash = false }) {
      const position =
        order === 'oldest-first'
          ? 'commit_sequence > ? ORDER BY commit_sequence'
          : 'commit_sequence < ? ORDER BY commit_sequence DESC'
      const sql = `${select} WHERE vault = ? AND file_name = '' AND (expires_at_ms <> 0) = ?
        AND (? = '' OR host = ?) AND ${position} LIMIT ?`
      return db.all<StoredSnapshot>(sql, vault, trash ? 1 : 0, host, host, from, limit).map(toSnapshot)
    },
    async newest(vault, host, pathsKey) {
      const sql = `${select} WHERE vault = ? AND host = ? AND paths_key = ? AND file_name = ''
        AND expires_at_ms = 0
        ORDER BY commit_sequence DESC LIMIT 1`
      return optional(db.get<StoredSnapshot>(sql, vault, host, pathsKey))
    },
    async packs(commitSequence) {
      const sql = 'SELECT packs FROM snapshots WHERE commit_sequence = ?'
      return db.get<{ packs: Uint8Array }>(sql, commitSequence)?.packs
    },
    async newestSequence() {
      const sql = 'SELECT max(commit_sequence) AS newest FROM snapshots'
      return db.get<{ newest: number | null }>(sql)?.newest ?? 0
    },
    async summary() {
      const sql = `SELECT count(*) AS count, coalesce(max(committed_at_ms), 0) AS newestAtMs FROM snapshots
        WHERE file_name = '' AND expires_at_ms = 0`
      return db.get<{ count: number; newestAtMs: number }>(sql) ?? { count: 0, newestAtMs: 0 }
    },
    async add(snapshot) {
      return db.run(
        `INSERT INTO snapshots (commit_sequence, snapshot_id, vault, tree, manifest, packs, host, paths_key,
          committed_at_ms, file_name, file_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        snapshot.commitSequence ?? null,
        snapshot.snapshotId,
        snapshot.vault,
        snapshot.tree,
        snapshot.manifest,
        snapshot.packs,
        snapshot.host,
        snapshot.pathsKey,
        snapshot.committedAtMs,
        snapshot.fileName,
        snapshot.fileVersion,
      ).rowNumber
    },
  }
}

type Garbage = 'sets' | 'expired' | 'removedAtMs' | 'setExpiry' | 'setPin' | 'setTags' | 'setPacks' | 'remove'

function garbage(db: Statements): Pick<SnapshotWriter, Garbage> {
  return {
    async sets(after, limit) {
      const sql = `SELECT commit_sequence AS commitSequence, vault, snapshot_id AS snapshotId,
        expires_at_ms AS expiresAtMs, packs FROM snapshots WHERE commit_sequence > ? ORDER BY commit_sequence LIMIT ?`
      return db.all<SnapshotSetRow>(sql, after, limit)
    },
    async expired(nowMs, limit) {
      const sql = `${select} WHERE expires_at_ms <> 0 AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?`
      return db.all<StoredSnapshot>(sql, nowMs, limit).map(toSnapshot)
    },
    async removedAtMs(snapshotId) {
      const sql = 'SELECT removed_at_ms AS atMs FROM removed_snapshots WHERE snapshot_id = ?'
      return db.get<{ atMs: number }>(sql, snapshotId)?.atMs
    },
    async setExpiry(commitSequence, expiresAtMs) {
      db.run('UPDATE snapshots SET expires_at_ms = ? WHERE commit_sequence = ?', expiresAtMs, commitSequence)
    },
    async setPin(commitSequence, pin) {
      db.run('UPDATE snapshots SET pin = ? WHERE commit_sequence = ?', pin ?? null, commitSequence)
    },
    async setTags(commitSequence, tags) {
      const value = tags === undefined ? null : JSON.stringify(tags)
      db.run('UPDATE snapshots SET tags = ? WHERE commit_sequence = ?', value, commitSequence)
    },
    async setPacks(commitSequence, packs) {
      db.run('UPDATE snapshots SET packs = ? WHERE commit_sequence = ?', packs, commitSequence)
      db.run('UPDATE pack_sets_version SET version = version + 1')
    },
    async remove(commitSequence, removedAtMs) {
      db.run(
        `INSERT OR REPLACE INTO removed_snapshots SELECT snapshot_id, vault, ? FROM snapshots
          WHERE commit_sequence = ?`,
        removedAtMs,
        commitSequence,
      )
      const file = db.get<{ vault: number; file_name: string; file_version: number }>(
        'SELECT vault, file_name, file_version FROM snapshots WHERE commit_sequence = ?',
        commitSequence,
      )
      if (file !== undefined && file.file_name !== '') {
        const sql = 'DELETE FROM files WHERE vault = ? AND name = ? AND version = ?'
        db.run(sql, file.vault, file.file_name, file.file_version)
      }
      db.run('DELETE FROM snapshots WHERE commit_sequence = ?', commitSequence)
    },
  }
}

interface StoredFile extends StoredSnapshot {
  readonly name: string
  readonly version: number
  readonly created_at_ms: number
  readonly snapshot: number | null
}

function toFile(row: StoredFile): FileRow {
  const deleted = row.snapshot === null
  const snapshot = deleted ? undefined : toSnapshot(row)
  return { name: row.name, version: row.version, deleted, createdAtMs: row.created_at_ms, snapshot }
}

const selectFile = `SELECT f.name, f.version, f.created_at_ms, f.snapshot, s.commit_sequence, s.snapshot_id, s.vault,
  s.tree, s.manifest, s.committed_at_ms, s.file_name, s.file_version, coalesce(s.expires_at_ms, 0) AS expires_at_ms,
  s.pin, s.tags
  FROM files f LEFT JOIN snapshots s ON s.commit_sequence = f.snapshot`

/** The last code point sorts after every other, so this bounds all names that begin with a prefix. */
const last = '\u{10FFFF}'

export function fileTable(db: Statements): FileWriter {
  return {
    async newest(vault, name) {
      const sql = `${selectFile} WHERE f.vault = ? AND f.name = ? ORDER BY f.version DESC LIMIT 1`
      const row = db.get<StoredFile>(sql, vault, name)
      return row === undefined ? undefined : toFile(row)
    },
    async versions(vault, name, page) {
      const sql = `${selectFile} WHERE f.vault = ? AND f.name = ? AND f.version < ? ORDER BY f.version DESC LIMIT ?`
      return db.all<StoredFile>(sql, vault, name, page.before, page.limit).map(toFile)
    },
    async list(vault, prefix, page) {
      const sql = `${selectFile} WHERE f.vault = ? AND f.name > ? AND f.name >= ? AND f.name < ?
          AND f.snapshot IS NOT NULL
          AND f.version = (SELECT max(version) FROM files n WHERE n.vault = f.vault AND n.name = f.name)
        ORDER BY f.name LIMIT ?`
      return db.all<StoredFile>(sql, vault, page.after, prefix, prefix + last, page.limit).map(toFile)
    },
    async add(vault, file) {
      const snapshot = file.commitSequence === 0 ? null : file.commitSequence
      const sql = 'INSERT INTO files VALUES (?, ?, ?, ?, ?)'
      db.run(sql, vault, file.name, file.version, file.createdAtMs, snapshot)
    },
  }
}
