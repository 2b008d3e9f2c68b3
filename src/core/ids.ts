/**
 * The identities of everything in a cluster. None of them comes from a counter: they are random or hashes, so that a
 * catalogue that rolls back can never give one away twice.
 */
import { TwofoldError } from './errors.ts'
import type { Random } from './random.ts'

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]: Name }

/** A chunk's name: 32 bytes, the BLAKE3-256 of its plaintext. */
export type ChunkId = Branded<Uint8Array, 'ChunkId'>
/** A chunk's name as a short string (one UTF-16 unit per byte), for use as a key of maps and sets only. */
export type ChunkKey = Branded<string, 'ChunkKey'>
/** A storage node: 32 hexadecimal digits, written once when its store is formatted. */
export type NodeId = Branded<string, 'NodeId'>
/** One life of a node's store: 32 hexadecimal digits. */
export type Incarnation = Branded<string, 'Incarnation'>
/** A pack: 32 hexadecimal digits, given by the manager when it is allocated. */
export type PackId = Branded<string, 'PackId'>
/** A client's running backup: 32 hexadecimal digits. */
export type SessionId = Branded<string, 'SessionId'>
/** A snapshot: 64 hexadecimal digits, the BLAKE3-256 of its manifest. */
export type SnapshotId = Branded<string, 'SnapshotId'>
/** A cluster: 32 hexadecimal digits. */
export type ClusterId = Branded<string, 'ClusterId'>

export const chunkIdBytes = 32

const hex32 = /^[0-9a-f]{32}$/
const hex64 = /^[0-9a-f]{64}$/

function parseHex<T extends string>(value: string, pattern: RegExp, what: string): T {
  if (!pattern.test(value)) {
    const digits = pattern === hex64 ? 64 : 32
    throw new TwofoldError(
      'invalid-argument',
      `${what} must be ${digits} hexadecimal digits, not "${value.slice(0, 80)}"`,
    )
  }
  return value as T
}

/** @throws TwofoldError `invalid-argument` unless `value` is 32 lower-case hexadecimal digits. */
export const parseNodeId = (value: string): NodeId => parseHex(value, hex32, 'a node id')
export const parseIncarnation = (value: string): Incarnation => parseHex(value, hex32, 'an incarnation')
export const parsePackId = (value: string): PackId => parseHex(value, hex32, 'a pack id')
export const parseSessionId = (value: string): SessionId => parseHex(value, hex32, 'a session id')
export const parseClusterId = (value: string): ClusterId => parseHex(value, hex32, 'a cluster id')
/** @throws TwofoldError `invalid-argument` unless `value` is 64 lower-case hexadecimal digits. */
export const parseSnapshotId = (value: string): SnapshotId => parseHex(value, hex64, 'a snapshot id')

/** @throws TwofoldError `invalid-argument` unless `bytes` is 32 bytes long. The bytes are not copied. */
export function parseChunkId(bytes: Uint8Array): ChunkId {
  if (bytes.length !== chunkIdBytes) {
    throw new TwofoldError('invalid-argument', `a chunk id must be ${chunkIdBytes} bytes, not ${bytes.length}`)
  }
  return bytes as ChunkId
}

/** A fresh identity of 32 hexadecimal digits. */
export function randomHexId<T extends string>(random: Random): T {
  return toHex(random.bytes(16)) as T
}

export function chunkKey(id: ChunkId): ChunkKey {
  return asBuffer(id).toString('latin1') as ChunkKey
}

export function chunkIdFromKey(key: ChunkKey): ChunkId {
  return Buffer.from(key, 'latin1') as unknown as ChunkId
}

export function toHex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex')
}

/** @throws TwofoldError `invalid-argument` when `hex` is not pairs of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(hex)) {
    throw new TwofoldError('invalid-argument', `"${hex.slice(0, 80)}" is not hexadecimal`)
  }
  return Buffer.from(hex, 'hex')
}

/** The same memory as a Buffer; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
