import type { RecoveryWriter } from '../catalogue.ts'
import type { LogRow, RecoveredSnapshot, RecoveredTree } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

const selectLog = 'SELECT sequence, previous_hash AS previousHash, hash, kind, payload FROM recovered_log'
const selectSnapshot = 'SELECT snapshot_id AS snapshotId, vault, manifest FROM recovered_snapshots'

export function recoveryTables(db: Statements): RecoveryWriter {
  return {
    async addLog({ hash, sequence, previousHash, kind, payload }) {
      const sql = 'INSERT OR IGNORE INTO recovered_log VALUES (?, ?, ?, ?, ?)'
      db.run(sql, hash, sequence, previousHash, kind, payload)
    },
    log: async (hash) => db.get<LogRow>(`${selectLog} WHERE hash = ?`, hash),
    async logAfter({ sequence, hash }, limit) {
      const sql = `${selectLog} WHERE (sequence, hash) > (?, ?) ORDER BY sequence, hash LIMIT ?`
      return db.all<LogRow>(sql, sequence, hash, limit)
    },
    async logEnds() {
      const sql = `${selectLog} WHERE hash NOT IN (SELECT previous_hash FROM recovered_log)
        ORDER BY sequence DESC, hash`
      return db.all<LogRow>(sql)
    },
    async addSnapshot({ snapshotId, vault, manifest }) {
      db.run('INSERT OR IGNORE INTO recovered_snapshots VALUES (?, ?, ?)', snapshotId, vault, manifest)
    },
    async snapshotsAfter(snapshotId, limit) {
      const sql = `${selectSnapshot} WHERE snapshot_id > ? ORDER BY snapshot_id LIMIT ?`
      return db.all<RecoveredSnapshot>(sql, snapshotId, limit)
    },
    async snapshot(snapshotId) {
      return db.get<RecoveredSnapshot>(`${selectSnapshot} WHERE snapshot_id = ?`, snapshotId)
    },
    async treesAfter(id, limit) {
      const sql = 'SELECT id, vault, chunk_id AS chunkId, refs FROM trees WHERE id > ? ORDER BY id LIMIT ?'
      return db.all<RecoveredTree>(sql, id, limit)
    },
    async dropTree({ vault, chunkId }) {
      db.run('DELETE FROM chunks WHERE vault = ? AND chunk_id = ?', vault, chunkId)
      db.run('DELETE FROM trees WHERE vault = ? AND chunk_id = ?', vault, chunkId)
    },
    async clear() {
      db.run('DELETE FROM recovered_log')
      db.run('DELETE FROM recovered_snapshots')
    },
  }
}
