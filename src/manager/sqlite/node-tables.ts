import type { Incarnation, NodeId, PackId } from '../../core/ids.ts'
import { invariant } from '../../core/errors.ts'
import type { NodeWriter, OrderWriter } from '../catalogue.ts'
import type { NodeAdminState, NodeRow } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

interface StoredNode {
  readonly id: number
  readonly node_id: NodeId
  readonly incarnation: Incarnation
  readonly name: string
  readonly address: string
  readonly failure_domain: string
  readonly boot_id: string
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
    capacity_bytes, used_bytes, public_key, put_sequence, admin, program_version)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (node_id) DO UPDATE SET incarnation = excluded.incarnation, name = excluded.name,
    address = excluded.address, failure_domain = excluded.failure_domain, boot_id = excluded.boot_id,
    registration_number = excluded.registration_number, capacity_bytes = excluded.capacity_bytes,
    used_bytes = excluded.used_bytes, public_key = excluded.public_key, put_sequence = excluded.put_sequence,
    admin = excluded.admin, program_version = excluded.program_version`

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
      )
      const row = db.get<StoredNode>('SELECT * FROM nodes WHERE node_id = ?', ref.nodeId)
      invariant(row !== undefined, 'a node that was just written is there')
      db.run('INSERT OR IGNORE INTO node_boots VALUES (?, ?, ?)', node.bootId, row.id, node.registrationNumber)
      return toNode(row)
    },
    async raisePutSequence(node, putSequence) {
      db.run('UPDATE nodes SET put_sequence = ? WHERE id = ? AND put_sequence < ?', putSequence, node, putSequence)
    },
  }
}

interface StoredOrder {
  readonly orderId: string
  readonly packId: PackId
  readonly incarnation: Incarnation
  readonly putSequenceMax: number
  readonly generationMax: number
  readonly logSequence: number
}

export function orderTable(db: Statements): OrderWriter {
  return {
    async ofNode(node, limit) {
      const rows = db.all<StoredOrder>(
        `SELECT order_id AS orderId, pack_id AS packId, incarnation, put_sequence_max AS putSequenceMax,
          generation_max AS generationMax, log_sequence AS logSequence FROM orders WHERE node = ? ORDER BY id LIMIT ?`,
        node,
        limit,
      )
      return rows.map(({ orderId, logSequence, ...rest }) => {
        return { orderId, ...(logSequence === 0 ? {} : { logSequence }), action: { kind: 'drop-pack', ...rest } }
      })
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
      db.run('DELETE FROM orders WHERE order_id = ? AND node = ?', orderId, node)
    },
    async dropNode(node) {
      db.run('DELETE FROM orders WHERE node = ?', node)
    },
  }
}
