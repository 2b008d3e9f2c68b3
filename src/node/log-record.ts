import { crc32 } from 'node:zlib'
import { asBuffer, fromHex, toHex } from '../core/ids.ts'
import { logPayloadBytesMax } from '../core/limits.ts'
import type { LogEntry, LogPosition } from '../core/model.ts'

/** What a node's log is made of: entries, positions that it was told, and marks that the entries start over. */
export type LogRecord =
  | { readonly type: 'entry'; readonly entry: LogEntry }
  | { readonly type: 'witness'; readonly position: LogPosition }
  | { readonly type: 'restart' }

/** Length, checksum of all that follows it, type. */
const headerBytes = 9
const types = { entry: 1, witness: 2, restart: 3 } as const
const hashBytes = 32
const entryFixedBytes = 8 + 2 * hashBytes + 1
const witnessBytes = 16 + hashBytes + 16
const bodyBytesMax = entryFixedBytes + 255 + logPayloadBytesMax

export function encodeLogRecord(record: LogRecord): Uint8Array {
  const body = bodyOf(record)
  const bytes = Buffer.alloc(headerBytes + body.length)
  bytes.writeUInt32LE(body.length, 0)
  bytes[8] = types[record.type]
  bytes.set(body, headerBytes)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return bytes
}

function bodyOf(record: LogRecord): Uint8Array {
  switch (record.type) {
    case 'restart':
      return Buffer.alloc(0)
    case 'witness': {
      const { epoch, life, sequence, hash } = record.position
      const body = Buffer.alloc(witnessBytes)
      body.writeBigUInt64LE(BigInt(epoch), 0)
      body.writeBigUInt64LE(BigInt(sequence), 8)
      body.set(hash, 16)
      body.set(fromHex(life), 16 + hashBytes)
      return body
    }
    case 'entry': {
      const { sequence, previousHash, hash, kind, payload } = record.entry
      const name = Buffer.from(kind)
      const body = Buffer.alloc(entryFixedBytes + name.length + payload.length)
      body.writeBigUInt64LE(BigInt(sequence), 0)
      body.set(previousHash, 8)
      body.set(hash, 8 + hashBytes)
      body[entryFixedBytes - 1] = name.length
      body.set(name, entryFixedBytes)
      body.set(payload, entryFixedBytes + name.length)
      return body
    }
  }
}

/**
 * Reads the record at the start of `bytes`. Nothing of the result shares memory with them.
 * @returns undefined when it is not whole or damaged; `length` alone when more bytes are needed to tell.
 */
export function decodeLogRecord(bytes: Uint8Array): { length: number; record?: LogRecord } | undefined {
  const view = asBuffer(bytes)
  if (view.length < headerBytes) return undefined
  const length = headerBytes + view.readUInt32LE(0)
  if (length > headerBytes + bodyBytesMax) return undefined
  if (view.length < length) return { length }
  if (crc32(view.subarray(8, length)) !== view.readUInt32LE(4)) return undefined
  const record = parse(view[8] ?? 0, Buffer.from(view.subarray(headerBytes, length)))
  return record === undefined ? undefined : { length, record }
}

function parse(type: number, body: Buffer): LogRecord | undefined {
  if (type === types.restart) return { type: 'restart' }
  if (type === types.witness && body.length === witnessBytes) {
    const position = {
      epoch: Number(body.readBigUInt64LE(0)),
      sequence: Number(body.readBigUInt64LE(8)),
      hash: body.subarray(16, 16 + hashBytes),
      life: toHex(body.subarray(16 + hashBytes)),
    }
    return { type: 'witness', position }
  }
  if (type !== types.entry || body.length < entryFixedBytes) return undefined
  const payloadAt = entryFixedBytes + (body[entryFixedBytes - 1] ?? 0)
  const entry = {
    sequence: Number(body.readBigUInt64LE(0)),
    previousHash: body.subarray(8, 8 + hashBytes),
    hash: body.subarray(8 + hashBytes, 8 + 2 * hashBytes),
    kind: body.subarray(entryFixedBytes, payloadAt).toString(),
    payload: body.subarray(payloadAt),
  }
  return { type: 'entry', entry }
}
