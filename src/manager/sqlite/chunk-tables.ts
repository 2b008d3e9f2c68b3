import { invariant } from '../../core/errors.ts'
import { chunkIdBytes, chunkKey } from '../../core/ids.ts'
import type { ChunkId } from '../../core/ids.ts'
import type { RecordKind } from '../../core/model.ts'
import type { ChunkWriter } from '../catalogue.ts'
import { splitRefs } from '../chunk-refs.ts'
import type { ChunkRow, PackChunkRow } from '../catalogue-rows.ts'
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
const selectNumbers = select('id', 'trees')

type StoredChunk = readonly [place: number, pack: number, offset: number, length: number, plain: number, kind: number]
type StoredNumber = readonly [place: number, tree: number]
type StoredRefs = readonly [place: number, refs: Uint8Array]

function toChunk([, pack, offset, length, plainLength, number]: StoredChunk): ChunkRow {
  const kind = kinds[number]
  invariant(kind !== undefined, 'the catalogue has an unknown kind of record')
  return { pack, offset, length, plainLength, kind }
}

const insertChunk = `INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET pack = excluded.pack, offset = excluded.offset, length = excluded.length`
const insertIds = `INSERT INTO pack_chunks VALUES (?, ?)
  ON CONFLICT DO UPDATE SET ids = CAST(ids || excluded.ids AS BLOB)`
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
  const ofPack = (vault: number, pack: number): PackChunkRow[] => {
    const list = db.get<{ ids: Uint8Array }>('SELECT ids FROM pack_chunks WHERE pack = ?', pack)
    if (list === undefined) return []
    const ids = [...new Map(splitRefs(list.ids).map((id) => [chunkKey(id), id])).values()]
    const rows = findAll(selectChunks, { vault, ids }, toChunk)
    const here = rows.flatMap((row, index) => (row?.pack === pack ? [{ ...row, chunkId: ids[index] as ChunkId }] : []))
    return here.sort((a, b) => a.offset - b.offset)
  }
  return {
    ofPack: async (vault, pack) => ofPack(vault, pack),
    treeNumbers: async (vault, ids) => findAll(selectNumbers, { vault, ids }, ([, tree]: StoredNumber) => tree),
    async refsByNumber(numbers) {
      const sql = 'SELECT refs FROM trees WHERE id = ?'
      return numbers.map((number) => db.get<{ refs: Uint8Array }>(sql, number)?.refs)
    },
    find: async (vault, ids) => findAll(selectChunks, { vault, ids }, toChunk),
    refs: async (vault, ids) => findAll(selectRefs, { vault, ids }, ([, refs]: StoredRefs) => refs),
    async put(vault, pack, entries) {
      for (const entry of entries) {
        const { chunkId, offset, length, plainLength } = entry
        known.add(chunkId)
        db.run(insertChunk, vault, chunkId, pack, offset, length, plainLength, kinds.indexOf(entry.kind))
        if (entry.kind !== 'data') db.run(insertTree, vault, chunkId, entry.refs)
      }
      // Chunks that are moved away later stay in this list; their rows say where they are.
      if (entries.length > 0) db.run(insertIds, pack, Buffer.concat(entries.map((entry) => entry.chunkId)))
    },
    async removePack(vault, pack) {
      const rows = ofPack(vault, pack)
      for (const { chunkId, kind } of rows) {
        db.run('DELETE FROM chunks WHERE vault = ? AND chunk_id = ?', vault, chunkId)
        if (kind !== 'data') db.run('DELETE FROM trees WHERE vault = ? AND chunk_id = ?', vault, chunkId)
      }
      db.run('DELETE FROM pack_chunks WHERE pack = ?', pack)
      return rows.length
    },
  }
}
