/**
 * A server that writes and syncs the bytes of a stream and passes them on where there is somebody behind it; nothing
 * else. It has the options of a real node: those of `src/rpc`. It answers when the bytes are on its disk and those
 * behind it have answered.
 *
 * Usage: node pipeline-hop.ts DIRECTORY [ADDRESS-OF-THE-NEXT]
 */
import { once } from 'node:events'
import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js'
import { silentLogger } from '../../src/core/logger.ts'
import type { ReplicateRequest, ReplicateResponse } from '../../src/gen/twofold/v1/replication.ts'
import type { UploadRequest, UploadResponse } from '../../src/gen/twofold/v1/storage.ts'
import { ReplicationBulkClient, ReplicationBulkService, StorageBulkService } from '../../src/rpc/bulk.ts'
import { ChannelPool } from '../../src/rpc/channel.ts'
import { startServer } from '../../src/rpc/server.ts'
import type { ServiceMount } from '../../src/rpc/server.ts'
import { SyncedFiles } from './synced-files.ts'

type Incoming = AsyncIterable<UploadRequest | ReplicateRequest>

/** Writes and syncs all slices. `offer` passes each on; it may take a moment. */
async function receive(incoming: Incoming, offer: (slice: Uint8Array) => Promise<void> | undefined): Promise<void> {
  const files = new SyncedFiles(directory)
  for await (const { part } of incoming) {
    if (part?.$case !== 'slice') continue
    const passedOn = offer(part.value)
    await files.append(part.value)
    await passedOn
  }
  await files.finish()
}

function forwardTo(address: string): ServiceMount {
  const client = new ChannelPool({ bulk: true }).client(ReplicationBulkClient, address)
  const upload = (
    call: ServerReadableStream<UploadRequest, UploadResponse>,
    answer: sendUnaryData<UploadResponse>,
  ): void => {
    const answered = Promise.withResolvers<void>()
    const next = client.replicate((error) => (error === null ? answered.resolve() : answered.reject(error)))
    // The status comes through the callback.
    next.on('error', () => undefined)
    const offer = (value: Uint8Array): Promise<void> | undefined =>
      next.write({ part: { $case: 'slice', value } }) ? undefined : drained(next, answered.promise)
    const received = receive(call, offer).finally(() => next.end())
    Promise.all([received, answered.promise]).then(
      () => answer(null, { receipts: [], nodes: [] }),
      (error: Error) => answer(error),
    )
  }
  return { definition: StorageBulkService, implementation: { upload } }
}

async function drained(stream: NodeJS.EventEmitter, ended: Promise<void>): Promise<void> {
  await Promise.race([once(stream, 'drain'), ended])
}

function keep(): ServiceMount {
  const replicate = (
    call: ServerReadableStream<ReplicateRequest, ReplicateResponse>,
    answer: sendUnaryData<ReplicateResponse>,
  ): void => {
    receive(call, () => undefined).then(
      () => answer(null, { receipt: undefined }),
      (error: Error) => answer(error),
    )
  }
  return { definition: ReplicationBulkService, implementation: { replicate } }
}

const [directory = '', nextAddress] = process.argv.slice(2)
const { address } = await startServer({
  address: '127.0.0.1:0',
  services: [nextAddress === undefined ? keep() : forwardTo(nextAddress)],
  serving: () => true,
  logger: silentLogger,
})
process.stdout.write(`${JSON.stringify({ address })}\n`)
// It ends with whoever started it.
process.stdin.on('end', () => process.exit()).resume()
