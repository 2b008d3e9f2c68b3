import { freeBytes } from '../core/free-bytes.ts'
import type { PackId } from '../core/ids.ts'
import { unaryDeadlineMs, verifyDeadlineMs, witnessDeadlineMs } from '../core/limits.ts'
import type {
  PackStat,
  PackVerdict,
  ReadRequest,
  ReadSlice,
  UploadHeader,
  UploadResult,
} from '../core/storage-messages.ts'
import type { CallOptions, NodeRef, WitnessStatement } from '../core/model.ts'
import { toNodeRef } from '../core/node-ref.ts'
import type { UploadRequest } from '../gen/twofold/v1/storage.ts'
import { StorageBulkClient, StorageBulkService } from '../rpc/bulk.ts'
import { callClientStream, callServerStream, callUnary } from '../rpc/calls.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import { toNumber, toSigned } from './convert.ts'
import type { StorageApi } from './storage-api.ts'

/** The nodes at the other end of gRPC, each at the address that its reference says. */
export class StorageRemote implements StorageApi {
  readonly #channels: ChannelPool

  /** @param channels for bulk data: nothing is retried below the calls. */
  constructor(channels: ChannelPool) {
    this.#channels = channels
  }

  async upload(
    node: NodeRef,
    header: UploadHeader,
    slices: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<UploadResult> {
    const messages = uploadMessages(header, slices)
    const limits = { signal: options.signal, untilAdmitted: true }
    const reply = await callClientStream(this.#client(node), StorageBulkService.upload, messages, limits)
    return { receipts: reply.receipts.map(toSigned), nodes: reply.nodes.map(toNodeRef) }
  }

  async *read(node: NodeRef, request: ReadRequest, options: CallOptions = {}): AsyncGenerator<ReadSlice> {
    const ranges = request.ranges.map(({ offset, length }) => ({ offset: BigInt(offset), length: BigInt(length) }))
    const message = { packId: request.packId, ranges }
    const { signal } = options
    for await (const reply of callServerStream(this.#client(node), StorageBulkService.read, message, { signal })) {
      yield { offset: toNumber(reply.offset), data: reply.data }
      freeBytes(reply.data)
    }
  }

  async stat(node: NodeRef, packId: PackId, options: CallOptions = {}): Promise<PackStat> {
    const limits = { signal: options.signal, deadlineMs: unaryDeadlineMs }
    const reply = await callUnary(this.#client(node), StorageBulkService.stat, { packId }, limits)
    return {
      present: reply.present,
      lengthBytes: toNumber(reply.lengthBytes),
      putSequence: toNumber(reply.putSequence),
      incarnation: reply.incarnation as PackStat['incarnation'],
      provenAtMs: toNumber(reply.provenAtMs),
    }
  }

  async verify(node: NodeRef, packId: PackId, options: CallOptions = {}): Promise<PackVerdict> {
    const limits = { signal: options.signal, deadlineMs: verifyDeadlineMs }
    const reply = await callUnary(this.#client(node), StorageBulkService.verify, { packId }, limits)
    const { good, problem, records } = reply
    return { good, problem, records, lengthBytes: toNumber(reply.lengthBytes), provenAtMs: toNumber(reply.provenAtMs) }
  }

  async witness(node: NodeRef, statement: WitnessStatement, options: CallOptions = {}): Promise<void> {
    const limits = { signal: options.signal, deadlineMs: witnessDeadlineMs }
    const request = { statement: toSigned(statement) }
    await callUnary(this.#client(node), StorageBulkService.witness, request, limits)
  }

  #client(node: NodeRef): InstanceType<typeof StorageBulkClient> {
    return this.#channels.client(StorageBulkClient, node.address)
  }
}

async function* uploadMessages(header: UploadHeader, slices: AsyncIterable<Uint8Array>): AsyncGenerator<UploadRequest> {
  const { ticket, replicas, lengthBytes } = header
  const value = { ticket: toSigned(ticket), replicas: [...replicas], lengthBytes: BigInt(lengthBytes) }
  yield { part: { $case: 'header', value } }
  for await (const slice of slices) yield { part: { $case: 'slice', value: slice } }
}
