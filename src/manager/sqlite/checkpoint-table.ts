import type { CheckpointRow, CheckpointSetRow, CheckpointWriter } from '../catalogue-checkpoints.ts'
import type { Statements } from './statements.ts'

const select = 'SELECT number, vault, tree, manifest, created_at_ms AS createdAtMs, packs FROM checkpoints'

export function checkpointTable(db: Statements): CheckpointWriter {
  return {
    async find({ vault, host, pathsKey }) {
      return db.get<CheckpointRow>(`${select} WHERE vault = ? AND host = ? AND paths_key = ?`, vault, host, pathsKey)
    },
    async page(vault, after, limit) {
      const sql = `${select} WHERE vault = ? AND number > ? ORDER BY number LIMIT ?`
      return db.all<CheckpointRow>(sql, vault, after, limit)
    },
    async sets(after, limit) {
      const sql = 'SELECT number, vault, tree, packs FROM checkpoints WHERE number > ? ORDER BY number LIMIT ?'
      return db.all<CheckpointSetRow>(sql, after, limit)
    },
    async put({ vault, host, pathsKey, tree, manifest, createdAtMs, packs }) {
      // Replacing deletes the old row and gives a new number, by which garbage collection notices it.
      const sql = `INSERT OR REPLACE INTO checkpoints (vault, host, paths_key, tree, manifest, created_at_ms, packs)
        VALUES (?, ?, ?, ?, ?, ?, ?)`
      db.run(sql, vault, host, pathsKey, tree, manifest, createdAtMs, packs)
    },
    async remove({ vault, host, pathsKey }) {
      db.run('DELETE FROM checkpoints WHERE vault = ? AND host = ? AND paths_key = ?', vault, host, pathsKey)
    },
    async setPacks(number, packs) {
      db.run('UPDATE checkpoints SET packs = ? WHERE number = ?', packs, number)
      db.run('UPDATE pack_sets_version SET version = version + 1')
    },
    async removeUntil(atMs, limit) {
      const sql = `DELETE FROM checkpoints WHERE number IN
        (SELECT number FROM checkpoints WHERE created_at_ms <= ? ORDER BY number LIMIT ?)`
      return db.run(sql, atMs, limit).changes
    },
    async trim(count) {
      db.run(
        `DELETE FROM checkpoints
          WHERE number <= (SELECT number FROM checkpoints ORDER BY number DESC LIMIT 1 OFFSET ?)`,
        count,
      )
    },
  }
}
