import { makeGenericClientConstructor } from '@grpc/grpc-js'
import type { Client } from '@grpc/grpc-js'
import { asBuffer } from '../core/ids.ts'
import { FilesService, GetResponse, PutRequest } from '../gen/twofold/v1/files.ts'
import type { FilesClient } from '../gen/twofold/v1/files.ts'
import { ReplicateRequest, ReplicationService } from '../gen/twofold/v1/replication.ts'
import type { ReplicationClient } from '../gen/twofold/v1/replication.ts'
import { ReadResponse, StorageService, UploadRequest } from '../gen/twofold/v1/storage.ts'
import type { StorageClient } from '../gen/twofold/v1/storage.ts'
import type { ClientConstructor } from './channel.ts'

/**
 * The messages that carry file bytes, encoded with one copy of the bytes instead of four. The wire format is the same.
 *
 * grpc-js copies every message behind a five-byte frame header, with `message.copy(frame, 5)`, and asks for nothing
 * else but its length. So the encoder returns a stand-in that writes the field's header and the bytes straight there.
 * The bytes are not copied before that, which is before the write's callback.
 */
class FramedBytes {
  readonly length: number
  readonly #prefix: Uint8Array
  readonly #data: Uint8Array

  constructor(prefix: Uint8Array, data: Uint8Array) {
    this.#prefix = prefix
    this.#data = data
    this.length = prefix.length + data.length
  }

  get byteLength(): number {
    return this.length
  }

  copy(target: Uint8Array, at = 0): number {
    target.set(this.#prefix, at)
    target.set(this.#data, at + this.#prefix.length)
    return this.length
  }
}

/** Tag of field 2 with a length in front of its bytes: in every one of these messages the bytes are field 2. */
const bytesTag = (2 << 3) | 2
const offsetTag = (1 << 3) | 0

/** Appends `value` as a varint. Exact up to 2⁵³. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}

function framed(prefix: number[], data: Uint8Array): Buffer {
  prefix.push(bytesTag)
  pushVarint(prefix, data.length)
  return new FramedBytes(Uint8Array.from(prefix), data) as unknown as Buffer
}

interface Encoder<Message> {
  encode(message: Message): { finish(): Uint8Array }
}

function generated<Message>(encoder: Encoder<Message>, message: Message): Buffer {
  return asBuffer(encoder.encode(message).finish())
}

const encodeUpload = (message: UploadRequest): Buffer =>
  message.part?.$case === 'slice' ? framed([], message.part.value) : generated(UploadRequest, message)

const encodeReplicate = (message: ReplicateRequest): Buffer =>
  message.part?.$case === 'slice' ? framed([], message.part.value) : generated(ReplicateRequest, message)

const encodePut = (message: PutRequest): Buffer =>
  message.part?.$case === 'data' ? framed([], message.part.value) : generated(PutRequest, message)

const encodeGet = (message: GetResponse): Buffer =>
  message.part?.$case === 'data' ? framed([], message.part.value) : generated(GetResponse, message)

function encodeRead(message: ReadResponse): Buffer {
  const offset = Number(message.offset)
  if (message.data.length === 0 || !Number.isSafeInteger(offset)) return generated(ReadResponse, message)
  const prefix: number[] = []
  if (offset > 0) {
    prefix.push(offsetTag)
    pushVarint(prefix, offset)
  }
  return framed(prefix, message.data)
}

export const StorageBulkService = {
  ...StorageService,
  upload: { ...StorageService.upload, requestSerialize: encodeUpload },
  read: { ...StorageService.read, responseSerialize: encodeRead },
} as const

export const ReplicationBulkService = {
  ...ReplicationService,
  replicate: { ...ReplicationService.replicate, requestSerialize: encodeReplicate },
} as const

export const FilesBulkService = {
  ...FilesService,
  put: { ...FilesService.put, requestSerialize: encodePut },
  get: { ...FilesService.get, responseSerialize: encodeGet },
} as const

type Definition = Parameters<typeof makeGenericClientConstructor>[0]

function clientOf<C extends Client>(definition: Definition, name: string): ClientConstructor<C> {
  return makeGenericClientConstructor(definition, name) as unknown as ClientConstructor<C>
}

export const StorageBulkClient = clientOf<StorageClient>(StorageBulkService, 'twofold.v1.Storage')
export const ReplicationBulkClient = clientOf<ReplicationClient>(ReplicationBulkService, 'twofold.v1.Replication')
export const FilesBulkClient = clientOf<FilesClient>(FilesBulkService, 'twofold.v1.Files')
