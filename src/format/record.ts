import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import type { RecordKind } from '../core/model.ts'
import type { Codec } from './codec.ts'
import { blake3, createTreeHasher } from './hash.ts'
import { decodeRecordHeader, encodeRecordHeader, recordHeaderBytes } from './record-header.ts'
import type { RecordHeader } from './record-header.ts'

export { decodeRecordHeader, encodeRecordHeader, recordHeaderBytes } from './record-header.ts'
export type { RecordHeader } from './record-header.ts'

/** A record ready to be appended to a pack. */
export interface SealedRecord {
  readonly chunkId: ChunkId
  readonly kind: RecordKind
  /** 128 bytes. */
  readonly header: Uint8Array
  /** Reference list and body. */
  readonly stored: Uint8Array
  /** Whether `stored` is memory of its own; otherwise it is what was given as `plain`. */
  readonly ownsStored: boolean
  readonly plainLength: number
  /** 32 bytes for each chunk that the record refers to. */
  readonly refs: Uint8Array
}

export interface RecordInput {
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  readonly kind: RecordKind
  /** `blake3(plain)` of data and snapshots, `recordId(refs, plain)` of trees and extent lists. */
  readonly chunkId: ChunkId
  readonly plain: Uint8Array
  /** 32 bytes for each chunk that is referred to; none for data. */
  readonly refs?: Uint8Array
}

export interface OpenedRecord {
  readonly kind: RecordKind
  readonly refs: Uint8Array
  readonly plain: Uint8Array
}

const none = new Uint8Array(0)

/**
 * The id of a tree or extent-list record: the keyed BLAKE3-256 of the length of the reference list (32 bits, little
 * endian), the list, and the body. The length is part of it, so that nobody can shift the border between the two.
 */
export function recordId(refs: Uint8Array, plain: Uint8Array): ChunkId {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, refs.length, true)
  const hasher = createTreeHasher()
  hasher.update(length)
  hasher.update(refs)
  hasher.update(plain)
  return hasher.digest() as ChunkId
}

/**
 * Compresses the body where it pays and puts a header in front. `chunkId` is trusted here; nodes and readers check it.
 * @throws TwofoldError `invalid-argument` when the record would break a limit of the format.
 */
export async function sealRecord(input: RecordInput, codec: Codec): Promise<SealedRecord> {
  const { vaultId, kind, chunkId, plain, refs = none } = input
  // Nodes check a snapshot's manifest as it passes, and so it is never compressed.
  const frame = kind === 'snapshot' ? undefined : await codec.compress(plain)
  const stored = join(refs, frame ?? plain)
  const header = encodeRecordHeader({
    kind,
    codec: frame === undefined ? 'raw' : 'zstd',
    vaultId,
    chunkId,
    plainLength: plain.length,
    storedLength: stored.length,
    refsLength: refs.length,
    // Data kept as it is was hashed for its name already.
    storedHash: kind === 'data' && frame === undefined ? chunkId : blake3(stored),
  })
  return { chunkId, kind, header, stored, ownsStored: stored !== plain, plainLength: plain.length, refs }
}

/**
 * Takes a whole record, header included, apart and verifies all of it: header, stored hash, length and id.
 * `refs` and an uncompressed `plain` share memory with `record`.
 * @throws TwofoldError `integrity` when it is not exactly the record of `expected`, `unsupported` for newer formats.
 */
export async function openRecord(record: Uint8Array, expected: ChunkId, codec: Codec): Promise<OpenedRecord> {
  const header = decodeRecordHeader(record)
  if (!same(header.chunkId, expected)) throw damaged(expected, 'the record is of another chunk')
  if (record.length !== recordHeaderBytes + header.storedLength) {
    throw damaged(expected, `${record.length} bytes instead of ${recordHeaderBytes + header.storedLength}`)
  }
  const stored = record.subarray(recordHeaderBytes)
  const storedHash = blake3(stored)
  if (!same(storedHash, header.storedHash)) throw damaged(expected, 'the stored bytes do not match their hash')
  const refs = stored.subarray(0, header.refsLength)
  const body = stored.subarray(header.refsLength)
  const plain = header.codec === 'raw' ? body : await codec.decompress(body, header.plainLength)
  const id = header.kind === 'data' && header.codec === 'raw' ? storedHash : idOf(header.kind, refs, plain)
  if (!same(id, expected)) throw damaged(expected, 'the content does not match its id')
  return { kind: header.kind, refs, plain }
}

function idOf(kind: RecordHeader['kind'], refs: Uint8Array, plain: Uint8Array): Uint8Array {
  return kind === 'tree' ? recordId(refs, plain) : blake3(plain)
}

function join(refs: Uint8Array, body: Uint8Array): Uint8Array {
  if (refs.length === 0) return body
  const stored = new Uint8Array(refs.length + body.length)
  stored.set(refs)
  stored.set(body, refs.length)
  return stored
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return asBuffer(left).equals(right)
}

function damaged(chunk: ChunkId, what: string): TwofoldError {
  const id = asBuffer(chunk).toString('hex')
  return new TwofoldError('integrity', `chunk ${id.slice(0, 16)} is damaged: ${what}`, { fields: { chunk: id } })
}
