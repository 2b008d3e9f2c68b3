import { invariant } from '../../core/errors.ts'
import type { RecordKind } from '../../core/model.ts'
import type { ChunkWriter } from '../catalogue.ts'
import type { ChunkRow } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

/** The numbers that the database keeps; never renumbered. */
const kinds: readonly RecordKind[] = ['data', 'tree', 'snapshot']

interface StoredChunk {
  readonly pack: number
  readonly offset: number
  readonly length: number
  readonly plainLength: number
  readonly kind: number
}

function toChunk(row: StoredChunk | undefined): ChunkRow | undefined {
  if (row === undefined) return undefined
  const kind = kinds[row.kind]
  invariant(kind !== undefined, 'the catalogue has an unknown kind of record')
  return { pack: row.pack, offset: row.offset, length: row.length, plainLength: row.plainLength, kind }
}

const find = `SELECT pack, offset, length, plain_length AS plainLength, kind FROM chunks
  WHERE vault = ? AND chunk_id = ?`
const insertChunk = `INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET pack = excluded.pack, offset = excluded.offset, length = excluded.length`
const insertTree = 'INSERT OR IGNORE INTO trees (vault, chunk_id, refs) VALUES (?, ?, ?)'

export function chunkTables(db: Statements): ChunkWriter {
  return {
    find: async (vault, ids) => ids.map((id) => toChunk(db.get<StoredChunk>(find, vault, id))),
    async refs(vault, ids) {
      const sql = 'SELECT refs FROM trees WHERE vault = ? AND chunk_id = ?'
      return ids.map((id) => db.get<{ refs: Uint8Array }>(sql, vault, id)?.refs)
    },
    async put(vault, pack, entries) {
      for (const entry of entries) {
        const { chunkId, offset, length, plainLength } = entry
        db.run(insertChunk, vault, chunkId, pack, offset, length, plainLength, kinds.indexOf(entry.kind))
        if (entry.kind !== 'data') db.run(insertTree, vault, chunkId, entry.refs)
      }
    },
  }
}
