import type { SessionId } from '../../core/ids.ts'
import { decodeByteList, encodeByteList } from '../byte-list.ts'
import type { SessionWriter } from '../catalogue.ts'
import type { SessionKind, SessionRow, SessionState } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

interface StoredSession {
  readonly id: number
  readonly kind: SessionKind
  readonly session_id: SessionId
  readonly token: string
  readonly vault: number
  readonly client_id: string
  readonly request_id: string
  readonly host: string
  readonly user: string
  readonly paths: Uint8Array
  readonly file_name: string
  readonly no_parent: number
  readonly parent: string
  readonly state: SessionState
  readonly begun_at_ms: number
  readonly snapshot_id: string
}

function toSession(row: StoredSession | undefined): SessionRow | undefined {
  if (row === undefined) return undefined
  return {
    id: row.id,
    kind: row.kind,
    sessionId: row.session_id,
    token: row.token,
    vault: row.vault,
    clientId: row.client_id,
    requestId: row.request_id,
    host: row.host,
    user: row.user,
    paths: decodeByteList(row.paths),
    fileName: row.file_name,
    noParent: row.no_parent === 1,
    parent: row.parent,
    state: row.state,
    begunAtMs: row.begun_at_ms,
    snapshotId: row.snapshot_id,
  }
}

export function sessionTable(db: Statements): SessionWriter {
  return {
    async find(sessionId) {
      return toSession(db.get<StoredSession>('SELECT * FROM sessions WHERE session_id = ?', sessionId))
    },
    byId: async (id) => toSession(db.get<StoredSession>('SELECT * FROM sessions WHERE id = ?', id)),
    async byRequest(clientId, requestId) {
      const sql = 'SELECT * FROM sessions WHERE client_id = ? AND request_id = ?'
      return toSession(db.get<StoredSession>(sql, clientId, requestId))
    },
    async open() {
      const sql = "SELECT session_id FROM sessions WHERE state = 'open' ORDER BY id"
      return db.all<{ session_id: SessionId }>(sql).map((row) => row.session_id)
    },
    async newest() {
      return db.get<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM sessions')?.id ?? 0
    },
    async oldestOpen() {
      return db.get<{ id: number }>("SELECT id FROM sessions WHERE state = 'open' ORDER BY id LIMIT 1")?.id
    },
    async add(session) {
      db.run(
        `INSERT INTO sessions (session_id, token, vault, client_id, request_id, host, user, paths, file_name,
          no_parent, parent, begun_at_ms, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        session.sessionId,
        session.token,
        session.vault,
        session.clientId,
        session.requestId,
        session.host,
        session.user,
        encodeByteList(session.paths),
        session.fileName,
        session.noParent ? 1 : 0,
        session.parent,
        session.begunAtMs,
        session.kind,
      )
    },
    async finish(id, state, snapshotId) {
      db.run('UPDATE sessions SET state = ?, snapshot_id = ? WHERE id = ?', state, snapshotId, id)
    },
  }
}
