import { fromHex, toHex } from '../../core/ids.ts'
import type { PackId } from '../../core/ids.ts'
import type { DamagedWriter, UnknownPackWriter } from '../catalogue-findings.ts'
import type { Statements } from './statements.ts'

interface StoredDamage {
  readonly node: number
  readonly pack_id: Uint8Array
  readonly put_sequence: number
  readonly problem: string
  readonly found_at_ms: number
}

export function damagedTable(db: Statements): DamagedWriter {
  return {
    async all() {
      const rows = db.all<StoredDamage>('SELECT * FROM damaged_copies ORDER BY found_at_ms, node, pack_id')
      return rows.map((row) => ({
        node: row.node,
        packId: toHex(row.pack_id) as PackId,
        putSequence: row.put_sequence,
        problem: row.problem,
        foundAtMs: row.found_at_ms,
      }))
    },
    async newest(node, packId) {
      const sql = 'SELECT max(put_sequence) AS newest FROM damaged_copies WHERE node = ? AND pack_id = ?'
      return db.get<{ newest: number | null }>(sql, node, fromHex(packId))?.newest ?? undefined
    },
    async add({ node, packId, putSequence, problem, foundAtMs }) {
      const sql = 'INSERT OR IGNORE INTO damaged_copies VALUES (?, ?, ?, ?, ?)'
      db.run(sql, node, fromHex(packId), putSequence, problem, foundAtMs)
    },
    async remove({ node, packId, putSequence }) {
      const sql = 'DELETE FROM damaged_copies WHERE node = ? AND pack_id = ? AND put_sequence = ?'
      db.run(sql, node, fromHex(packId), putSequence)
    },
    async dropNode(node) {
      db.run('DELETE FROM damaged_copies WHERE node = ?', node)
    },
  }
}

interface StoredUnknown {
  readonly pack_id: Uint8Array
  readonly put_sequence: number
  readonly length_bytes: number
}

export function unknownPackTable(db: Statements): UnknownPackWriter {
  return {
    async counts() {
      const sql = `SELECT node, count(*) AS packs, sum(length_bytes) AS bytes FROM unknown_packs GROUP BY node
        ORDER BY node`
      return db.all<{ node: number; packs: number; bytes: number }>(sql)
    },
    async ofNode(node, limit) {
      const sql = 'SELECT * FROM unknown_packs WHERE node = ? ORDER BY pack_id LIMIT ?'
      return db.all<StoredUnknown>(sql, node, limit).map((row) => ({
        packId: toHex(row.pack_id) as PackId,
        putSequence: row.put_sequence,
        lengthBytes: row.length_bytes,
      }))
    },
    async put(node, report, packs) {
      const insert = 'INSERT OR IGNORE INTO unknown_packs VALUES (?, ?, ?, ?, ?)'
      const update = `UPDATE unknown_packs SET put_sequence = ?, length_bytes = ?, report = ?
        WHERE node = ? AND pack_id = ?`
      let added = 0
      for (const { packId, putSequence, lengthBytes } of packs) {
        const id = fromHex(packId)
        const fresh = db.run(insert, node, id, putSequence, lengthBytes, report).changes > 0
        if (fresh) added += 1
        else db.run(update, putSequence, lengthBytes, report, node, id)
      }
      return added
    },
    async keepOnly(node, report) {
      db.run('DELETE FROM unknown_packs WHERE node = ? AND report <> ?', node, report)
    },
    async dropNode(node) {
      db.run('DELETE FROM unknown_packs WHERE node = ?', node)
    },
  }
}
