import { fromHex, toHex } from '../../core/ids.ts'
import type { PackId } from '../../core/ids.ts'
import { invariant } from '../../core/errors.ts'
import { copyDigestBytes, toggleCopy } from '../../format/copy-digest.ts'
import type { CopyWriter } from '../catalogue.ts'
import type { CopyRow, NodeCopyRow, PackCopyRow, PackState } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

interface StoredNodeCopy {
  readonly pack: number
  readonly pack_id: Uint8Array
  readonly vault: number
  readonly state: PackState
  readonly length_bytes: number
  readonly put_sequence: number
}

function toNodeCopy(row: StoredNodeCopy): NodeCopyRow {
  const { pack, vault, state } = row
  const packId = toHex(row.pack_id) as PackId
  return { pack, packId, vault, state, lengthBytes: row.length_bytes, putSequence: row.put_sequence }
}

const selectOfNode = `SELECT c.pack, p.pack_id, p.vault, p.state, p.length_bytes, c.put_sequence
  FROM copies c JOIN packs p ON p.id = c.pack WHERE c.node = ? AND c.pack > ? ORDER BY c.pack LIMIT ?`
const selectOf = 'SELECT node, put_sequence AS putSequence, proven_at_ms AS provenAtMs FROM copies WHERE pack = ?'
const selectRange = `SELECT pack, node, proven_at_ms AS provenAtMs FROM copies WHERE pack > ? AND pack <= ?
  ORDER BY pack`
const selectOne = 'SELECT put_sequence AS putSequence FROM copies WHERE pack = ? AND node = ?'
const upsert = `INSERT INTO copies VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET put_sequence = excluded.put_sequence, proven_at_ms = excluded.proven_at_ms`
const prove = `UPDATE copies SET proven_at_ms = ? WHERE pack = (SELECT id FROM packs WHERE pack_id = ?)
  AND node = ? AND put_sequence = ? AND proven_at_ms < ?`

const bump = 'UPDATE copies_version SET version = version + 1'

/** Copies, and for each node the digest over them. */
export function copyTable(db: Statements): CopyWriter {
  const toggle = (pack: number, node: number, putSequence: number): void => {
    const row = db.get<{ pack_id: Uint8Array }>('SELECT pack_id FROM packs WHERE id = ?', pack)
    invariant(row !== undefined, 'a copy has a pack')
    const digest = digestOf(db, node)
    setDigest(db, node, toggleCopy(digest, toHex(row.pack_id) as PackId, putSequence))
  }
  return {
    of: async (packs) => packs.map((pack) => db.all<CopyRow>(selectOf, pack)),
    inRange: async ({ after, upTo }) => db.all<PackCopyRow>(selectRange, after, upTo),
    ofNode: async (node, { after, limit }) => db.all<StoredNodeCopy>(selectOfNode, node, after, limit).map(toNodeCopy),
    async totalOf(node) {
      const sql = `SELECT count(*) AS packs, coalesce(sum(p.length_bytes), 0) AS bytes
        FROM copies c JOIN packs p ON p.id = c.pack WHERE c.node = ?`
      return db.get<{ packs: number; bytes: number }>(sql, node) ?? { packs: 0, bytes: 0 }
    },
    async add(pack, copy) {
      db.run('INSERT INTO copies VALUES (?, ?, ?, ?)', pack, copy.node, copy.putSequence, copy.provenAtMs)
      toggle(pack, copy.node, copy.putSequence)
    },
    async put(pack, copy) {
      const known = db.get<{ putSequence: number }>(selectOne, pack, copy.node)?.putSequence
      db.run(upsert, pack, copy.node, copy.putSequence, copy.provenAtMs)
      if (known === copy.putSequence) return
      if (known === undefined) db.run('UPDATE copies_version SET additions = additions + 1')
      else toggle(pack, copy.node, known)
      toggle(pack, copy.node, copy.putSequence)
    },
    async remove(pack, { node, putSequence }) {
      const sql = 'DELETE FROM copies WHERE pack = ? AND node = ? AND put_sequence = ?'
      if (db.run(sql, pack, node, putSequence).changes === 0) return false
      toggle(pack, node, putSequence)
      db.run(bump)
      return true
    },
    async prove(node, proven) {
      for (const { packId, putSequence, provenAtMs } of proven) {
        db.run(prove, provenAtMs, fromHex(packId), node, putSequence, provenAtMs)
      }
    },
    async version() {
      return db.get<{ version: number }>('SELECT version FROM copies_version')?.version ?? 0
    },
    async additions() {
      return db.get<{ additions: number }>('SELECT additions FROM copies_version')?.additions ?? 0
    },
    async dropPack(pack) {
      for (const { node, putSequence } of db.all<CopyRow>(selectOf, pack)) toggle(pack, node, putSequence)
      db.run('DELETE FROM copies WHERE pack = ?', pack)
      db.run(bump)
    },
    async dropNode(node) {
      db.run(bump)
      setDigest(db, node, new Uint8Array(copyDigestBytes))
      return db.run('DELETE FROM copies WHERE node = ?', node).changes
    },
  }
}

export function digestOf(db: Statements, node: number): Uint8Array {
  const sql = 'SELECT copies_digest FROM node_inventories WHERE node = ?'
  return db.get<{ copies_digest: Uint8Array }>(sql, node)?.copies_digest ?? new Uint8Array(copyDigestBytes)
}

function setDigest(db: Statements, node: number, digest: Uint8Array): void {
  const sql = `INSERT INTO node_inventories VALUES (?, ?, 0, 0, 0)
    ON CONFLICT DO UPDATE SET copies_digest = excluded.copies_digest`
  db.run(sql, node, digest)
}
