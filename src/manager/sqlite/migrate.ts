import type { DatabaseSync } from 'node:sqlite'
import { TwofoldError } from '../../core/errors.ts'
import { toHex } from '../../core/ids.ts'
import type { PackId } from '../../core/ids.ts'
import { copyDigestBytes, toggleCopy } from '../../format/copy-digest.ts'
import { migrations } from './schema.ts'

/** Older ones can lose committed transactions of a WAL that is reset at the wrong moment. */
const oldestSafe = [3, 51, 3] as const

/** @throws TwofoldError `unsupported` */
export function requireSafeVersion(database: DatabaseSync): void {
  const row = database.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  if (!isSafeVersion(row.version)) {
    throw new TwofoldError(
      'unsupported',
      `this Node.js has SQLite ${row.version}, and the manager needs ${oldestSafe.join('.')} or newer; ` +
        'run it with the Node.js that "npm ci" installs',
    )
  }
}

export function isSafeVersion(version: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, least] of oldestSafe.entries()) {
    const part = parts[index] ?? 0
    if (part !== least) return part > least
  }
  return true
}

/** Brings the schema to the newest version, each step in its own transaction. @throws TwofoldError `unsupported` */
export function migrate(database: DatabaseSync): void {
  database.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT')
  const row = database.prepare('SELECT max(version) AS version FROM schema_version').get() as { version: number | null }
  const version = row.version ?? 0
  if (version > migrations.length) {
    throw new TwofoldError(
      'unsupported',
      `the catalogue has schema version ${version}, and this program knows up to ${migrations.length}; ` +
        'it was written by a newer version: use that one',
    )
  }
  database.function('copies_digest', (node) => digestOfCopies(database, Number(node)))
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue
    database.exec('BEGIN IMMEDIATE')
    try {
      database.exec(migration)
      database.prepare('INSERT INTO schema_version VALUES (?)').run(index + 1)
      database.exec('COMMIT')
    } catch (error) {
      database.exec('ROLLBACK')
      throw error
    }
  }
}

/** What a migration needs and SQL has not: the digest over a node's copies. */
function digestOfCopies(database: DatabaseSync, node: number): Uint8Array {
  const sql =
    'SELECT p.pack_id AS id, c.put_sequence AS put FROM copies c JOIN packs p ON p.id = c.pack WHERE c.node = ?'
  const rows = database.prepare(sql).all(node) as { id: Uint8Array; put: number }[]
  const toggle = (digest: Uint8Array, { id, put }: { id: Uint8Array; put: number }): Uint8Array =>
    toggleCopy(digest, toHex(id) as PackId, put)
  return rows.reduce(toggle, new Uint8Array(copyDigestBytes))
}
