import { expect } from 'chai'
import fc from 'fast-check'
import { FilesService } from '../../../src/gen/twofold/v1/files.ts'
import type { GetResponse, PutRequest } from '../../../src/gen/twofold/v1/files.ts'
import { ReplicationService } from '../../../src/gen/twofold/v1/replication.ts'
import type { ReplicateRequest } from '../../../src/gen/twofold/v1/replication.ts'
import { StorageService } from '../../../src/gen/twofold/v1/storage.ts'
import type { ReadResponse, UploadRequest } from '../../../src/gen/twofold/v1/storage.ts'
import { FilesBulkService, ReplicationBulkService, StorageBulkService } from '../../../src/rpc/bulk.ts'

/** What grpc-js does with a serialized message. */
function onWire(message: Buffer): Buffer {
  expect(message.byteLength).to.equal(message.length)
  const frame = Buffer.alloc(message.length + 5, 0xee)
  message.copy(frame, 5)
  expect([...frame.subarray(0, 5)]).to.deep.equal([0xee, 0xee, 0xee, 0xee, 0xee])
  return frame.subarray(5)
}

interface Codec<Message> {
  readonly bulk: (message: Message) => Buffer
  readonly generated: (message: Message) => Buffer
  readonly decode: (bytes: Buffer) => Message
}

function same<Message>(codec: Codec<Message>, message: Message): void {
  const wire = onWire(codec.bulk(message))
  expect(wire.equals(codec.generated(message)), 'the same bytes as ts-proto').to.equal(true)
  expect(codec.decode(wire)).to.deep.equal(codec.decode(codec.generated(message)))
}

const upload: Codec<UploadRequest> = {
  bulk: StorageBulkService.upload.requestSerialize,
  generated: StorageService.upload.requestSerialize,
  decode: StorageService.upload.requestDeserialize,
}
const replicate: Codec<ReplicateRequest> = {
  bulk: ReplicationBulkService.replicate.requestSerialize,
  generated: ReplicationService.replicate.requestSerialize,
  decode: ReplicationService.replicate.requestDeserialize,
}
const read: Codec<ReadResponse> = {
  bulk: StorageBulkService.read.responseSerialize,
  generated: StorageService.read.responseSerialize,
  decode: StorageService.read.responseDeserialize,
}
const put: Codec<PutRequest> = {
  bulk: FilesBulkService.put.requestSerialize,
  generated: FilesService.put.requestSerialize,
  decode: FilesService.put.requestDeserialize,
}
const get: Codec<GetResponse> = {
  bulk: FilesBulkService.get.responseSerialize,
  generated: FilesService.get.responseSerialize,
  decode: FilesService.get.responseDeserialize,
}

const ticket = { claims: Buffer.from('claims'), signature: Buffer.alloc(64, 1) }

describe('bulk messages', () => {
  const sizes = [0, 1, 127, 128, 16_383, 16_384, 1 << 20, 4_000_000]

  for (const size of sizes) {
    it(`are what ts-proto makes of them, with ${size} bytes`, () => {
      const value = Buffer.alloc(size, 7)
      same(upload, { part: { $case: 'slice', value } })
      same(replicate, { part: { $case: 'slice', value } })
      same(put, { part: { $case: 'data', value } })
      same(get, { part: { $case: 'data', value } })
      same(read, { offset: 0n, data: value })
      same(read, { offset: 300n, data: value })
    })
  }

  it('are so for headers and for messages that carry nothing', () => {
    same(upload, { part: { $case: 'header', value: { ticket, replicas: [], lengthBytes: 1n << 40n } } })
    same(upload, { part: undefined })
    same(replicate, { part: { $case: 'header', value: { ticket, lengthBytes: 5n } } })
    same(replicate, {})
    same(put, { part: { $case: 'header', value: { name: 'näme', vault: '', requestId: 'r' } } })
    same(put, {})
    same(get, {})
    same(read, { offset: 0n, data: new Uint8Array() })
    same(read, { offset: 9n, data: new Uint8Array() })
  })

  it('are so for any bytes at any offset, also in the middle of a larger memory', () => {
    const offsets = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
    fc.assert(
      fc.property(offsets, fc.uint8Array({ maxLength: 300 }), fc.nat(20), (offset, memory, skip) => {
        const data = memory.subarray(skip)
        same(read, { offset, data })
        same(upload, { part: { $case: 'slice', value: data } })
      }),
    )
  })
})
