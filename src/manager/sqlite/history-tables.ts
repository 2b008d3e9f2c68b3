import type { Operation } from '../../core/model.ts'
import type { LogWriter, OperationWriter } from '../catalogue.ts'
import type { LogRow } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

const select = `SELECT number, kind, time_ms AS timeMs, actor, subject, result, detail, snapshot_id AS snapshotId,
  duration_ms AS durationMs FROM operations`

export function operationTable(db: Statements): OperationWriter {
  return {
    async page({ kind, before, limit }) {
      const end = 'number < ? ORDER BY number DESC LIMIT ?'
      if (kind === '') return db.all<Operation>(`${select} WHERE ${end}`, before, limit)
      return db.all<Operation>(`${select} WHERE kind = ? AND ${end}`, kind, before, limit)
    },
    async add(operation) {
      return db.run(
        `INSERT INTO operations (kind, time_ms, actor, subject, result, detail, snapshot_id, duration_ms)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        operation.kind,
        operation.timeMs,
        operation.actor,
        operation.subject,
        operation.result,
        operation.detail,
        operation.snapshotId,
        operation.durationMs,
      ).rowNumber
    },
    async trim(kind, count) {
      const of = "FROM operations WHERE kind = ? AND snapshot_id = ''"
      const sql = `DELETE ${of} AND number <= (SELECT number ${of} ORDER BY number DESC LIMIT 1 OFFSET ?)`
      db.run(sql, kind, kind, count)
    },
  }
}

const selectLog = 'SELECT sequence, previous_hash AS previousHash, hash, kind, payload FROM commit_log'

export function logTable(db: Statements): LogWriter {
  return {
    newest: async () => db.get<LogRow>(`${selectLog} ORDER BY sequence DESC LIMIT 1`),
    at: async (sequence) => db.get<LogRow>(`${selectLog} WHERE sequence = ?`, sequence),
    async after(sequence, limit) {
      return db.all<LogRow>(`${selectLog} WHERE sequence > ? ORDER BY sequence LIMIT ?`, sequence, limit)
    },
    async append(row) {
      const sql = 'INSERT INTO commit_log (sequence, previous_hash, hash, kind, payload) VALUES (?, ?, ?, ?, ?)'
      const { sequence, previousHash, hash, kind, payload } = row
      const { rowNumber } = db.run(sql, sequence ?? null, previousHash, hash, kind, payload)
      return { sequence: rowNumber, previousHash, hash, kind, payload }
    },
  }
}
