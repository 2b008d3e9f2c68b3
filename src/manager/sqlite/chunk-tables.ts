import { invariant } from '../../core/errors.ts'
import { chunkIdBytes } from '../../core/ids.ts'
import type { ChunkId } from '../../core/ids.ts'
import type { RecordKind } from '../../core/model.ts'
import type { ChunkWriter } from '../catalogue.ts'
import type { ChunkRow } from '../catalogue-rows.ts'
import { IdList } from './id-list.ts'
import type { KnownChunks } from './known-chunks.ts'
import type { Statements } from './statements.ts'

/** The numbers that the database keeps; never renumbered. */
const kinds: readonly RecordKind[] = ['data', 'tree', 'snapshot']

/** What one statement finds of a list of ids: for each that is there its place in the list, and what is asked for. */
const select = (columns: string, table: string): string =>
  `WITH RECURSIVE list (place) AS (SELECT 0 UNION ALL SELECT place + 1 FROM list WHERE place + 1 < ?)
   SELECT place, ${columns} FROM list
     CROSS JOIN ${table} ON vault = ? AND chunk_id = substr(?, place * ${chunkIdBytes} + 1, ${chunkIdBytes})`
const selectChunks = select('pack, offset, length, plain_length, kind', 'chunks')
const selectRefs = select('refs', 'trees')

type StoredChunk = readonly [place: number, pack: number, offset: number, length: number, plain: number, kind: number]
type StoredRefs = readonly [place: number, refs: Uint8Array]

function toChunk([, pack, offset, length, plainLength, number]: StoredChunk): ChunkRow {
  const kind = kinds[number]
  invariant(kind !== undefined, 'the catalogue has an unknown kind of record')
  return { pack, offset, length, plainLength, kind }
}

const insertChunk = `INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET pack = excluded.pack, offset = excluded.offset, length = excluded.length`
const insertTree = 'INSERT OR IGNORE INTO trees (vault, chunk_id, refs) VALUES (?, ?, ?)'

export function chunkTables(db: Statements, known: KnownChunks): ChunkWriter {
  /** Looks all ids up with one statement: a statement for each costs more than what it does. */
  const findAll = <Stored extends readonly [number, ...unknown[]], Found>(
    sql: string,
    query: { readonly vault: number; readonly ids: readonly ChunkId[] },
    convert: (row: Stored) => Found,
  ): (Found | undefined)[] => {
    const { vault, ids } = query
    const found = new Array<Found | undefined>(ids.length).fill(undefined)
    const list = new IdList(ids, (id) => known.mayHave(id))
    if (list.length === 0) return found
    for (const row of db.tuples<Stored>(sql, list.length, vault, list.bytes)) found[list.indexOf(row[0])] = convert(row)
    return found
  }
  return {
    find: async (vault, ids) => findAll(selectChunks, { vault, ids }, toChunk),
    refs: async (vault, ids) => findAll(selectRefs, { vault, ids }, ([, refs]: StoredRefs) => refs),
    async put(vault, pack, entries) {
      for (const entry of entries) {
        const { chunkId, offset, length, plainLength } = entry
        known.add(chunkId)
        db.run(insertChunk, vault, chunkId, pack, offset, length, plainLength, kinds.indexOf(entry.kind))
        if (entry.kind !== 'data') db.run(insertTree, vault, chunkId, entry.refs)
      }
    },
  }
}
