import type { ChunkId } from '../core/ids.ts'

/** How far an unfinished backup came. */
export interface CheckpointRow {
  /** Grows with each that is saved; never given twice. */
  readonly number: number
  readonly vault: number
  readonly tree: ChunkId
  readonly manifest: Uint8Array
  readonly createdAtMs: number
  /** The packs it needs, as `pack-set.ts` encodes them. */
  readonly packs: Uint8Array
}

export interface NewCheckpoint extends Omit<CheckpointRow, 'number'> {
  readonly host: string
  /** Equal for equal sets of paths. */
  readonly pathsKey: Uint8Array
}

/** What garbage collection needs of it. */
export type CheckpointSetRow = Pick<CheckpointRow, 'number' | 'vault' | 'tree' | 'packs'>

/** Backups that compare with each other: the same vault, host and paths. */
export type CheckpointSeries = Pick<NewCheckpoint, 'vault' | 'host' | 'pathsKey'>

/** The part of the catalogue that knows unfinished backups: at most one of each series. */
export interface CheckpointReader {
  find(series: CheckpointSeries): Promise<CheckpointRow | undefined>
  /** Of a vault, numbers above `after`, in their order. */
  page(vault: number, after: number, limit: number): Promise<CheckpointRow[]>
  /** Of everything, numbers above `after`, in their order. */
  sets(after: number, limit: number): Promise<CheckpointSetRow[]>
}
export interface CheckpointWriter extends CheckpointReader {
  /** In the place of the series' one before. */
  put(checkpoint: NewCheckpoint): Promise<void>
  remove(series: CheckpointSeries): Promise<void>
  /** `setsVersion` of packs changes. */
  setPacks(number: number, packs: Uint8Array): Promise<void>
  /** Forgets up to `limit` of those that were made at `atMs` or before. Resolves with how many. */
  removeUntil(atMs: number, limit: number): Promise<number>
  /** Forgets all but the newest `count`. */
  trim(count: number): Promise<void>
}
