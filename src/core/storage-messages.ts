/** Requests and answers of a storage node as plain data. Their meaning, idempotency and errors: `storage.proto`. */
import type { Incarnation, PackId } from './ids.ts'
import type { NodeRef, Receipt, Ticket } from './model.ts'

export interface UploadHeader {
  readonly ticket: Ticket
  readonly replicas: readonly NodeRef[]
  readonly lengthBytes: number
}

export interface UploadResult {
  readonly receipts: readonly Receipt[]
  readonly nodes: readonly NodeRef[]
}

export interface ReplicateHeader {
  readonly ticket: Ticket
  readonly lengthBytes: number
}

export interface ByteRange {
  readonly offset: number
  readonly length: number
}

export interface ReadRequest {
  readonly packId: PackId
  /** None means the whole pack. */
  readonly ranges: readonly ByteRange[]
}

export interface ReadSlice {
  readonly offset: number
  readonly data: Uint8Array
}

export interface PackStat {
  readonly present: boolean
  readonly lengthBytes: number
  readonly putSequence: number
  readonly incarnation: Incarnation
  /** 0 when never since it was written. */
  readonly provenAtMs: number
}

export interface PackVerdict {
  readonly good: boolean
  readonly problem: string
  readonly records: number
  readonly lengthBytes: number
  readonly provenAtMs: number
}
