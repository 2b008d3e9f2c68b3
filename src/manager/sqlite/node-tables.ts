import type { Incarnation, NodeId, PackId } from '../../core/ids.ts'
import { invariant } from '../../core/errors.ts'
import type { NodeWriter, OrderWriter } from '../catalogue.ts'
import type { InventoryRow, NodeAdminState, NodeRow, OrderRow } from '../catalogue-rows.ts'
import { digestOf } from './copy-table.ts'
import type { Statements } from './statements.ts'

interface StoredNode {
  readonly id: number
  readonly node_id: NodeId
  readonly incarnation: Incarnation
  readonly name: string
  readonly address: string
  readonly failure_domain: string
  readonly boot_id: string
  readonly boot_number: number
  readonly registration_number: number
  readonly capacity_bytes: number
  readonly used_bytes: number
  readonly public_key: Uint8Array
  readonly put_sequence: number
  readonly admin: NodeAdminState
  readonly program_version: string
}

function toNode(row: StoredNode): NodeRow {
  return {
    id: row.id,
    ref: {
      nodeId: row.node_id,
      incarnation: row.incarnation,
      name: row.name,
      address: row.address,
      failureDomain: row.failure_domain,
    },
    bootId: row.boot_id,
    bootNumber: row.boot_number,
    registrationNumber: row.registration_number,
    capacityBytes: row.capacity_bytes,
    usedBytes: row.used_bytes,
    publicKey: row.public_key,
    putSequence: row.put_sequence,
    admin: row.admin,
    programVersion: row.program_version,
  }
}

const upsert = `INSERT INTO nodes (node_id, incarnation, name, address, failure_domain, boot_id, registration_number,
    capacity_bytes, used_bytes, public_key, put_sequence, admin, program_version, boot_number)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (node_id) DO UPDATE SET incarnation = excluded.incarnation, name = excluded.name,
    address = excluded.address, failure_domain = excluded.failure_domain, boot_id = excluded.boot_id,
    registration_number = excluded.registration_number, capacity_bytes = excluded.capacity_bytes,
    used_bytes = excluded.used_bytes, public_key = excluded.public_key, put_sequence = excluded.put_sequence,
    admin = excluded.admin, program_version = excluded.program_version,
    boot_number = excluded.boot_number`

export function nodeTable(db: Statements): NodeWriter {
  return {
    all: async () => db.all<StoredNode>('SELECT * FROM nodes ORDER BY id').map(toNode),
    async find(nodeId) {
      const row = db.get<StoredNode>('SELECT * FROM nodes WHERE node_id = ?', nodeId)
      return row === undefined ? undefined : toNode(row)
    },
    async boot(bootId) {
      const sql = 'SELECT node, registration_number AS registrationNumber FROM node_boots WHERE boot_id = ?'
      return db.get<{ node: number; registrationNumber: number }>(sql, bootId)
    },
    async put(node) {
      const { ref } = node
      db.run(
        upsert,
        ref.nodeId,
        ref.incarnation,
        ref.name,
        ref.address,
        ref.failureDomain,
        node.bootId,
        node.registrationNumber,
        node.capacityBytes,
        node.usedBytes,
        node.publicKey,
        node.putSequence,
        node.admin,
        node.programVersion,
        node.bootNumber,
      )
      const row = db.get<StoredNode>('SELECT * FROM nodes WHERE node_id = ?', ref.nodeId)
      invariant(row !== undefined, 'a node that was just written is there')
      db.run('INSERT OR IGNORE INTO node_boots VALUES (?, ?, ?)', node.bootId, row.id, node.registrationNumber)
      return toNode(row)
    },
    async setAdmin(node, admin) {
      const row = db.get<StoredNode>('UPDATE nodes SET admin = ? WHERE id = ? RETURNING *', admin, node)
      invariant(row !== undefined, 'a node that is told something is there')
      return toNode(row)
    },
    async inventory(node) {
      const sql = `SELECT registration_number AS registrationNumber, report_number AS reportNumber,
        as_of_put_sequence AS asOfPutSequence FROM node_inventories WHERE node = ?`
      const row = db.get<Omit<InventoryRow, 'copiesDigest'>>(sql, node)
      const { registrationNumber = 0, reportNumber = 0, asOfPutSequence = 0 } = row ?? {}
      return { copiesDigest: digestOf(db, node), registrationNumber, reportNumber, asOfPutSequence }
    },
    async tookInventory(node, { registrationNumber, reportNumber, asOfPutSequence }) {
      const sql = `INSERT INTO node_inventories VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET registration_number = excluded.registration_number,
          report_number = excluded.report_number, as_of_put_sequence = excluded.as_of_put_sequence`
      db.run(sql, node, digestOf(db, node), registrationNumber, reportNumber, asOfPutSequence)
    },
    async raisePutSequence(node, putSequence) {
      db.run('UPDATE nodes SET put_sequence = ? WHERE id = ? AND put_sequence < ?', putSequence, node, putSequence)
    },
  }
}

interface StoredOrder {
  readonly node: number
  readonly orderId: string
  readonly packId: PackId
  readonly incarnation: Incarnation
  readonly putSequenceMax: number
  readonly generationMax: number
  readonly logSequence: number
}

const selectOrders = `SELECT node, order_id AS orderId, pack_id AS packId, incarnation,
  put_sequence_max AS putSequenceMax, generation_max AS generationMax, log_sequence AS logSequence FROM orders`

function toOrder({ orderId, packId, incarnation, putSequenceMax, generationMax, logSequence }: StoredOrder): OrderRow {
  const action = { kind: 'drop-pack', packId, incarnation, putSequenceMax, generationMax } as const
  return { orderId, ...(logSequence === 0 ? {} : { logSequence }), action }
}

export function orderTable(db: Statements): OrderWriter {
  return {
    async ofNode(node, limit) {
      const rows = db.all<StoredOrder>(`${selectOrders} WHERE node = ? ORDER BY id LIMIT ?`, node, limit)
      return rows.map(toOrder)
    },
    async ofPack(packId) {
      const rows = db.all<StoredOrder>(`${selectOrders} WHERE pack_id = ? ORDER BY id`, packId)
      return rows.map((row) => ({ ...toOrder(row), node: row.node }))
    },
    async add(node, order) {
      db.run(
        `INSERT INTO orders (order_id, node, pack_id, incarnation, put_sequence_max, generation_max, log_sequence)
          VALUES (?, ?, ?, ?, ?, ?, ?)`,
        order.orderId,
        node,
        order.action.packId,
        order.action.incarnation,
        order.action.putSequenceMax,
        order.action.generationMax,
        order.logSequence ?? 0,
      )
    },
    async remove(node, orderId) {
      const row = db.get<StoredOrder>(`${selectOrders} WHERE order_id = ? AND node = ?`, orderId, node)
      db.run('DELETE FROM orders WHERE order_id = ? AND node = ?', orderId, node)
      return row === undefined ? undefined : toOrder(row)
    },
    async dropNode(node) {
      db.run('DELETE FROM orders WHERE node = ?', node)
    },
  }
}
