import type { RequestWriter } from '../catalogue-requests.ts'
import type { RequestRow } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

export function requestTable(db: Statements): RequestWriter {
  return {
    async find(requestId) {
      return db.get<RequestRow>(
        'SELECT request_id AS requestId, time_ms AS timeMs, digest, answer FROM admin_requests WHERE request_id = ?',
        requestId,
      )
    },
    async add({ requestId, timeMs, digest, answer }) {
      db.run('INSERT INTO admin_requests VALUES (?, ?, ?, ?)', requestId, timeMs, digest, answer)
    },
    async dropBefore(timeMs, limit) {
      db.run(
        `DELETE FROM admin_requests WHERE request_id IN
          (SELECT request_id FROM admin_requests WHERE time_ms < ? ORDER BY time_ms LIMIT ?)`,
        timeMs,
        limit,
      )
    },
  }
}
