import { invariant } from '../../core/errors.ts'
import { fromHex, toHex } from '../../core/ids.ts'
import type { NodeId, PackId } from '../../core/ids.ts'
import type { CopyCount, PackWriter } from '../catalogue.ts'
import type { GenerationRow, MoveRow, PackCopiesRow, PackRow, PackState } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

interface StoredPack {
  readonly id: number
  readonly pack_id: Uint8Array
  readonly vault: number
  readonly session: number
  readonly request_id: string
  readonly state: PackState
  readonly generation: number
  readonly length_bytes: number
  readonly condemned_session: number
}

function toPack(row: StoredPack): PackRow {
  return {
    id: row.id,
    packId: toHex(row.pack_id) as PackId,
    vault: row.vault,
    session: row.session,
    requestId: row.request_id,
    state: row.state,
    generation: row.generation,
    lengthBytes: row.length_bytes,
    condemnedSession: row.condemned_session,
  }
}

const optional = (row: StoredPack | undefined): PackRow | undefined => (row === undefined ? undefined : toPack(row))

interface StoredGeneration {
  readonly generation: number
  readonly failed_node_id: NodeId | ''
  readonly claims: Uint8Array
  readonly signature: Uint8Array
}

function generationsOf(db: Statements, pack: number): GenerationRow[] {
  const sql = 'SELECT * FROM pack_generations WHERE pack = ? ORDER BY generation'
  return db.all<StoredGeneration>(sql, pack).map((row) => ({
    generation: row.generation,
    failedNodeId: row.failed_node_id,
    ticket: { claims: row.claims, signature: row.signature },
  }))
}

const countByCopies = `SELECT vault, live AS copies, count(*) AS packs FROM (
    SELECT p.vault AS vault, (SELECT count(*) FROM copies c
      WHERE c.pack = p.id AND c.node IN (SELECT value FROM json_each(?))) AS live
    FROM packs p WHERE p.state = 'committed' AND p.id > ? AND p.id <= ?)
  GROUP BY vault, live`

type StoredPackCopy = readonly [
  pack: number,
  vault: number,
  lengthBytes: number,
  node: number | null,
  putSequence: number,
]

const selectWithCopies = `SELECT p.id, p.vault, p.length_bytes, c.node, c.put_sequence
  FROM (SELECT id, vault, length_bytes FROM packs WHERE id > ? AND state = 'committed' ORDER BY id LIMIT ?) p
    LEFT JOIN copies c ON c.pack = p.id
  ORDER BY p.id, c.node`

function withCopies(db: Statements, after: number, limit: number): PackCopiesRow[] {
  const packs: { pack: number; vault: number; lengthBytes: number; copies: { node: number; putSequence: number }[] }[] =
    []
  for (const [pack, vault, lengthBytes, node, putSequence] of db.tuples<StoredPackCopy>(
    selectWithCopies,
    after,
    limit,
  )) {
    if (packs.at(-1)?.pack !== pack) packs.push({ pack, vault, lengthBytes, copies: [] })
    if (node !== null) packs.at(-1)?.copies.push({ node, putSequence })
  }
  return packs
}

export function packTable(db: Statements): PackWriter {
  return {
    ...condemnedPacks(db),
    ...packMoves(db),
    find: async (packId) => optional(db.get<StoredPack>('SELECT * FROM packs WHERE pack_id = ?', fromHex(packId))),
    async byRequest(session, requestId) {
      const sql = 'SELECT * FROM packs WHERE session = ? AND request_id = ?'
      return optional(db.get<StoredPack>(sql, session, requestId))
    },
    async openOfSession(session) {
      const sql = "SELECT * FROM packs WHERE session = ? AND state = 'open' ORDER BY id"
      return db.all<StoredPack>(sql, session).map(toPack)
    },
    open: async () => db.all<StoredPack>("SELECT * FROM packs WHERE state = 'open' ORDER BY id").map(toPack),
    byIds: async (ids) => ids.map((id) => optional(db.get<StoredPack>('SELECT * FROM packs WHERE id = ?', id))),
    generations: async (pack) => generationsOf(db, pack),
    async newestId() {
      return db.get<{ newest: number | null }>('SELECT max(id) AS newest FROM packs')?.newest ?? 0
    },
    async countByCopies(counted, { after, upTo }) {
      const anyOpen = "SELECT 1 FROM packs WHERE state = 'open' AND id > ? AND id <= ? LIMIT 1"
      return {
        counts: db.all<CopyCount>(countByCopies, JSON.stringify(counted), after, upTo),
        open: db.get(anyOpen, after, upTo) !== undefined,
      }
    },
    async add(pack) {
      return db.run(
        'INSERT INTO packs (pack_id, vault, session, request_id, length_bytes) VALUES (?, ?, ?, ?, ?)',
        fromHex(pack.packId),
        pack.vault,
        pack.session,
        pack.requestId,
        pack.lengthBytes,
      ).rowNumber
    },
    async addGeneration(pack, generation, entry) {
      db.run(
        'INSERT INTO pack_generations VALUES (?, ?, ?, ?, ?)',
        pack,
        generation,
        entry.failedNodeId,
        entry.ticket.claims,
        entry.ticket.signature,
      )
      db.run('UPDATE packs SET generation = ? WHERE id = ?', generation, pack)
    },
    async forgetPipelines(session) {
      db.run('DELETE FROM pack_generations WHERE pack IN (SELECT id FROM packs WHERE session = ?)', session)
    },
    async settle(pack, { state, lengthBytes, digest }) {
      const sql = 'UPDATE packs SET state = ?, length_bytes = ?, digest = ? WHERE id = ?'
      db.run(sql, state, lengthBytes, digest ?? null, pack)
    },
    withCopies: async (after, limit) => withCopies(db, after, limit),
    async digest(pack) {
      return db.get<{ digest: Uint8Array | null }>('SELECT digest FROM packs WHERE id = ?', pack)?.digest ?? undefined
    },
    async raiseGeneration(pack, above = 0) {
      const sql = 'UPDATE packs SET generation = max(generation, ?) + 1 WHERE id = ? RETURNING generation'
      const row = db.get<{ generation: number }>(sql, above, pack)
      invariant(row !== undefined, 'a pack that is copied is there')
      return row.generation
    },
  }
}

const bumpCopies = 'UPDATE copies_version SET version = version + 1'

type Condemning = 'page' | 'notCommitted' | 'condemned' | 'condemnedTotal' | 'condemn' | 'revive' | 'bury'

function condemnedPacks(db: Statements): Pick<PackWriter, Condemning> {
  return {
    async page(after, limit) {
      return db.all<StoredPack>('SELECT * FROM packs WHERE id > ? ORDER BY id LIMIT ?', after, limit).map(toPack)
    },
    async notCommitted(ids) {
      const sql = "SELECT * FROM packs WHERE id IN (SELECT value FROM json_each(?)) AND state <> 'committed'"
      return db.all<StoredPack>(sql, JSON.stringify(ids)).map(toPack)
    },
    async condemned(before, limit) {
      const sql = `SELECT * FROM packs WHERE state = 'condemned' AND condemned_session < ?
        ORDER BY condemned_session, id LIMIT ?`
      return db.all<StoredPack>(sql, before, limit).map(toPack)
    },
    async condemnedTotal() {
      const sql = `SELECT count(*) AS packs, coalesce(sum(length_bytes), 0) AS lengthBytes FROM packs
        WHERE state = 'condemned'`
      return db.get<{ packs: number; lengthBytes: number }>(sql) ?? { packs: 0, lengthBytes: 0 }
    },
    async condemn(packs, newestSession) {
      const sql = "UPDATE packs SET state = 'condemned', condemned_session = ? WHERE id = ? AND state = 'committed'"
      for (const pack of packs) db.run(sql, newestSession, pack)
      db.run(bumpCopies)
    },
    async revive(packs) {
      const sql = "UPDATE packs SET state = 'committed', condemned_session = 0 WHERE id = ? AND state = 'condemned'"
      for (const pack of packs) db.run(sql, pack)
      if (packs.length > 0) db.run(bumpCopies)
    },
    async bury(pack) {
      db.run("UPDATE packs SET state = 'deleted' WHERE id = ? AND state = 'condemned'", pack)
      db.run('DELETE FROM pack_moves WHERE from_pack = ? OR to_pack = ?', pack, pack)
    },
  }
}

type Moving = 'moves' | 'newestMove' | 'movedTo' | 'setsVersion' | 'addMove' | 'passMovesOn'

function packMoves(db: Statements): Pick<PackWriter, Moving> {
  return {
    async moves(after, limit) {
      const sql = `SELECT number, from_pack AS "from", to_pack AS "to" FROM pack_moves WHERE number > ?
        ORDER BY number LIMIT ?`
      return db.all<MoveRow>(sql, after, limit)
    },
    async newestMove() {
      return db.get<{ number: number | null }>('SELECT max(number) AS number FROM pack_moves')?.number ?? 0
    },
    async movedTo(pack) {
      const sql = 'SELECT to_pack AS pack FROM pack_moves WHERE from_pack = ? ORDER BY to_pack'
      return db.all<{ pack: number }>(sql, pack).map((row) => row.pack)
    },
    async setsVersion() {
      return db.get<{ version: number }>('SELECT version FROM pack_sets_version')?.version ?? 0
    },
    async addMove(from, to) {
      db.run('INSERT OR REPLACE INTO pack_moves (from_pack, to_pack) VALUES (?, ?)', from, to)
    },
    async passMovesOn(pack) {
      db.run(
        `INSERT OR REPLACE INTO pack_moves (from_pack, to_pack) SELECT a.from_pack, b.to_pack
          FROM pack_moves a JOIN pack_moves b ON b.from_pack = a.to_pack
          WHERE a.to_pack = ? AND a.from_pack <> b.to_pack`,
        pack,
      )
      db.run('DELETE FROM pack_moves WHERE to_pack = ?', pack)
      db.run('UPDATE pack_sets_version SET version = version + 1')
    },
  }
}
