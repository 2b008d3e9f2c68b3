import { crc32 } from 'node:zlib'
import { TwofoldError } from '../core/errors.ts'
import { asBuffer, chunkIdBytes } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { recordBodyBytesMax, recordRefsMax, manifestBytesMax } from '../core/limits.ts'
import type { RecordKind } from '../core/model.ts'

/** Length of a record's header. */
export const recordHeaderBytes = 128
/** Length of a vault's identity in headers and footers. */
export const vaultIdBytes = 16
/** `TFR1`, read as a little-endian number. */
export const recordMagic = 0x31524654

const formatVersion = 1
const crcOffset = 124
/** Key id and nonce of a record that is not encrypted. */
const zeros = Buffer.alloc(16)

export type RecordCodec = 'raw' | 'zstd'

/** What stands in front of every record. The layout is in `docs/format.md`. */
export interface RecordHeader {
  readonly kind: RecordKind
  readonly codec: RecordCodec
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  readonly chunkId: ChunkId
  /** Length of the body before compression; the reference list does not count. */
  readonly plainLength: number
  /** Length of everything after the header: the reference list and the body as stored. */
  readonly storedLength: number
  /** Length of the reference list in bytes, a multiple of 32. */
  readonly refsLength: number
  /** BLAKE3-256 of the stored bytes, 32 bytes. */
  readonly storedHash: Uint8Array
}

export const kindNumbers = { data: 1, tree: 2, snapshot: 3 } as const satisfies Record<RecordKind, number>
export const codecNumbers = { raw: 0, zstd: 1 } as const satisfies Record<RecordCodec, number>
const kindsByNumber: readonly (RecordKind | undefined)[] = [undefined, 'data', 'tree', 'snapshot']
const codecsByNumber: readonly (RecordCodec | undefined)[] = ['raw', 'zstd']

const damaged = (what: string): TwofoldError => new TwofoldError('integrity', `damaged record header: ${what}`)
const unknown = (what: string): TwofoldError =>
  new TwofoldError('unsupported', `${what}; a newer version of this program may read it`)

/** @throws TwofoldError `invalid-argument` for lengths that readers would refuse. */
export function encodeRecordHeader(header: RecordHeader): Uint8Array {
  const problem = lengthProblem(header)
  if (problem !== undefined) throw new TwofoldError('invalid-argument', `cannot store a record: ${problem}`)
  const bytes = Buffer.alloc(recordHeaderBytes)
  bytes.writeUInt32LE(recordMagic, 0)
  bytes[4] = formatVersion
  bytes[5] = kindNumbers[header.kind]
  bytes[6] = codecNumbers[header.codec]
  bytes.set(header.vaultId, 8)
  bytes.set(header.chunkId, 24)
  bytes.writeUInt32LE(header.plainLength, 56)
  bytes.writeUInt32LE(header.storedLength, 60)
  bytes.writeUInt32LE(header.refsLength, 64)
  bytes.set(header.storedHash, 84)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, crcOffset)), crcOffset)
  return bytes
}

/**
 * Reads the header at the start of `bytes`; nothing of the result shares memory with them.
 * @throws TwofoldError `integrity` when it is damaged, `unsupported` when a newer format is used.
 */
export function decodeRecordHeader(bytes: Uint8Array): RecordHeader {
  if (bytes.length < recordHeaderBytes) throw damaged(`${bytes.length} bytes instead of ${recordHeaderBytes}`)
  const view = asBuffer(bytes)
  if (view.readUInt32LE(0) !== recordMagic) throw damaged('it does not start with TFR1')
  if (view.readUInt32LE(crcOffset) !== crc32(view.subarray(0, crcOffset))) throw damaged('its checksum does not match')
  if (view[4] !== formatVersion) throw unknown(`a record has format version ${view[4]}`)
  const kind = kindsByNumber[view[5] ?? 0]
  const codec = codecsByNumber[view[6] ?? 0]
  if (kind === undefined) throw unknown(`a record is of kind ${view[5]}`)
  if (codec === undefined) throw unknown(`a record is compressed by method ${view[6]}`)
  if (view[7] !== 0) throw unknown(`a record is encrypted by method ${view[7]}`)
  if (!view.subarray(68, 84).equals(zeros) || view.readUInt32LE(116) !== 0 || view.readUInt32LE(120) !== 0) {
    throw unknown('a record header has fields set that version 1 does not use')
  }
  const header: RecordHeader = {
    kind,
    codec,
    vaultId: copyOf(view, 8, vaultIdBytes),
    chunkId: copyOf(view, 24, chunkIdBytes) as ChunkId,
    plainLength: view.readUInt32LE(56),
    storedLength: view.readUInt32LE(60),
    refsLength: view.readUInt32LE(64),
    storedHash: copyOf(view, 84, chunkIdBytes),
  }
  const problem = lengthProblem(header)
  if (problem !== undefined) throw damaged(problem)
  return header
}

function copyOf(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const copy = new Uint8Array(length)
  copy.set(bytes.subarray(offset, offset + length))
  return copy
}

/** What is wrong with the lengths, in words. They are checked before anything is read or allocated by them. */
function lengthProblem(header: RecordHeader): string | undefined {
  const { kind, codec, plainLength, storedLength, refsLength } = header
  const bodyLength = storedLength - refsLength
  if (plainLength > recordBodyBytesMax) return `a body of ${plainLength} bytes is over the limit`
  if (refsLength % chunkIdBytes !== 0) return `${refsLength} bytes of references are no whole number of them`
  if (refsLength > recordRefsMax * chunkIdBytes) return 'more references than the limit'
  if (bodyLength < 0) return 'the references are longer than the record'
  if (codec === 'raw' ? bodyLength !== plainLength : bodyLength >= plainLength || bodyLength === 0) {
    return `${bodyLength} stored bytes do not fit a body of ${plainLength}`
  }
  if (kind === 'data' && refsLength !== 0) return 'a data record with references'
  return kind === 'snapshot' ? snapshotLengthProblem(header) : undefined
}

function snapshotLengthProblem({ codec, plainLength, refsLength }: RecordHeader): string | undefined {
  if (refsLength !== chunkIdBytes) return 'a snapshot record must refer to exactly one tree'
  if (codec !== 'raw') return 'a snapshot record must not be compressed'
  if (plainLength > manifestBytesMax) return `a manifest of ${plainLength} bytes is over the limit`
  return undefined
}
