import { crc32 } from 'node:zlib'
import { TwofoldError } from '../core/errors.ts'
import { asBuffer, chunkIdBytes } from '../core/ids.ts'
import { packBytesMax, packRecordsMax } from '../core/limits.ts'
import { recordHeaderBytes, vaultIdBytes } from './record-header.ts'

/** `TFIX`, read as a little-endian number: the index begins. */
export const indexMagic = 0x58494654
export const indexHeaderBytes = 16
export const indexEntryBytes = 48
export const packFooterBytes = 80
/** The shortest pack: one record without a body. */
export const packBytesMin = recordHeaderBytes + indexHeaderBytes + indexEntryBytes + packFooterBytes

/** `TFPK`, read as a little-endian number. */
const footerMagic = 0x4b504654
const formatVersion = 1
const indexCrcOffset = 12
const footerCrcOffset = 76

export interface PackFooter {
  readonly records: number
  readonly indexOffset: number
  readonly indexLength: number
  readonly packLength: number
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  /** BLAKE3-256 of the index, its header included. */
  readonly indexHash: Uint8Array
}

const damaged = (what: string): TwofoldError => new TwofoldError('integrity', `damaged pack: ${what}`)
const unknownVersion = (what: string, version: number | undefined): TwofoldError =>
  new TwofoldError('unsupported', `${what} has format version ${version}; a newer version of this program may read it`)

const unknownFields = (what: string): TwofoldError =>
  new TwofoldError('unsupported', `${what} has fields set that version 1 does not use`)

/** Length of an index of so many records, its header included. */
export function indexBytes(records: number): number {
  return indexHeaderBytes + records * indexEntryBytes
}

export function writeIndexHeader(target: Uint8Array, records: number): void {
  const bytes = asBuffer(target)
  bytes.fill(0, 0, indexHeaderBytes)
  bytes.writeUInt32LE(indexMagic, 0)
  bytes[4] = formatVersion
  bytes.writeUInt32LE(records, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, indexCrcOffset)), indexCrcOffset)
}

/** @throws TwofoldError `integrity` or `unsupported` */
export function readIndexHeader(header: Uint8Array): number {
  const bytes = asBuffer(header)
  if (bytes.readUInt32LE(0) !== indexMagic) throw damaged('the index does not start with TFIX')
  if (bytes.readUInt32LE(indexCrcOffset) !== crc32(bytes.subarray(0, indexCrcOffset))) {
    throw damaged(`the index header's checksum does not match`)
  }
  if (bytes[4] !== formatVersion) throw unknownVersion('the index', bytes[4])
  if (bytes.readUIntLE(5, 3) !== 0) throw unknownFields('the index')
  const records = bytes.readUInt32LE(8)
  if (records === 0 || records > packRecordsMax) throw damaged(`an index of ${records} records`)
  return records
}

/** Writes the index entry of the record whose header is given: what a reader needs to fetch it by itself. */
export function writeIndexEntry(target: Uint8Array, recordHeader: Uint8Array, offset: number): void {
  const entry = asBuffer(target)
  const header = asBuffer(recordHeader)
  entry.set(header.subarray(24, 24 + chunkIdBytes), 0)
  entry.writeUInt32LE(offset, 32)
  entry.writeUInt32LE(recordHeaderBytes + header.readUInt32LE(60), 36)
  entry.writeUInt32LE(header.readUInt32LE(56), 40)
  entry[44] = header[5] ?? 0
  entry[45] = header[6] ?? 0
  entry[46] = 0
  entry[47] = 0
}

export function encodePackFooter(footer: PackFooter): Uint8Array {
  const bytes = Buffer.alloc(packFooterBytes)
  bytes.writeUInt32LE(footerMagic, 0)
  bytes[4] = formatVersion
  bytes.writeUInt32LE(footer.records, 8)
  bytes.writeUInt32LE(footer.indexOffset, 12)
  bytes.writeUInt32LE(footer.indexLength, 16)
  bytes.writeUInt32LE(footer.packLength, 20)
  bytes.set(footer.vaultId, 24)
  bytes.set(footer.indexHash, 40)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, footerCrcOffset)), footerCrcOffset)
  return bytes
}

/**
 * Reads the last 80 bytes of a pack; nothing of the result shares memory with them.
 * @throws TwofoldError `integrity` when they are damaged or contradict themselves, `unsupported` for newer formats.
 */
export function decodePackFooter(footer: Uint8Array): PackFooter {
  if (footer.length !== packFooterBytes) throw damaged(`a footer of ${footer.length} bytes`)
  const bytes = asBuffer(footer)
  if (bytes.readUInt32LE(0) !== footerMagic) throw damaged('the footer does not start with TFPK')
  if (bytes.readUInt32LE(footerCrcOffset) !== crc32(bytes.subarray(0, footerCrcOffset))) {
    throw damaged(`the footer's checksum does not match`)
  }
  if (bytes[4] !== formatVersion) throw unknownVersion('the footer', bytes[4])
  if (bytes.readUIntLE(5, 3) !== 0 || bytes.readUInt32LE(72) !== 0) throw unknownFields('the footer')
  const records = bytes.readUInt32LE(8)
  const indexOffset = bytes.readUInt32LE(12)
  const indexLength = bytes.readUInt32LE(16)
  const packLength = bytes.readUInt32LE(20)
  if (records === 0 || records > packRecordsMax || indexLength !== indexBytes(records)) {
    throw damaged(`the footer speaks of ${records} records in an index of ${indexLength} bytes`)
  }
  if (packLength > packBytesMax || indexOffset + indexLength + packFooterBytes !== packLength) {
    throw damaged(`the footer's lengths contradict each other`)
  }
  return {
    records,
    indexOffset,
    indexLength,
    packLength,
    vaultId: new Uint8Array(bytes.subarray(24, 24 + vaultIdBytes)),
    indexHash: new Uint8Array(bytes.subarray(40, 72)),
  }
}
