/** What nodes found in their stores, as parts of the catalogue. */
import type { PackId } from '../core/ids.ts'
import type { DamagedRow, UnknownPackRow } from './catalogue-rows.ts'

export interface DamagedReader {
  /** The oldest first. */
  all(): Promise<DamagedRow[]>
  /** The newest put of a pack that a node has put aside. */
  newest(node: number, packId: PackId): Promise<number | undefined>
}
export interface DamagedWriter extends DamagedReader {
  /** Adds it; one that is known stays as it is. */
  add(copy: DamagedRow): Promise<void>
  remove(copy: Pick<DamagedRow, 'node' | 'packId' | 'putSequence'>): Promise<void>
  dropNode(node: number): Promise<void>
}

export interface UnknownPackReader {
  /** The nodes that have some. */
  counts(): Promise<{ node: number; packs: number; bytes: number }[]>
  /** Up to `limit` of a node. */
  ofNode(node: number, limit: number): Promise<UnknownPackRow[]>
}
export interface UnknownPackWriter extends UnknownPackReader {
  /** Notes packs that a report listed, which has a number that no other has. Resolves with how many are new. */
  put(node: number, report: number, packs: readonly UnknownPackRow[]): Promise<number>
  /** Forgets those of a node that the report did not list. */
  keepOnly(node: number, report: number): Promise<void>
  dropNode(node: number): Promise<void>
}
