/**
 * A server that does nothing with the bytes of a stream but pass them on, or count them where there is nobody behind
 * it. It has the options of a real node: those of `src/rpc`.
 *
 * Usage: node raw-stream-hop.ts [ADDRESS-OF-THE-NEXT]
 */
import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js'
import { silentLogger } from '../../src/core/logger.ts'
import type { ReplicateRequest, ReplicateResponse } from '../../src/gen/twofold/v1/replication.ts'
import type { UploadRequest, UploadResponse } from '../../src/gen/twofold/v1/storage.ts'
import { ReplicationBulkClient, ReplicationBulkService, StorageBulkService } from '../../src/rpc/bulk.ts'
import { ChannelPool } from '../../src/rpc/channel.ts'
import { startServer } from '../../src/rpc/server.ts'
import type { ServiceMount } from '../../src/rpc/server.ts'

function forwardTo(address: string): ServiceMount {
  const next = new ChannelPool({ bulk: true }).client(ReplicationBulkClient, address)
  const upload = (
    call: ServerReadableStream<UploadRequest, UploadResponse>,
    answer: sendUnaryData<UploadResponse>,
  ): void => {
    const forwarded = next.replicate((error) => answer(error, { receipts: [], nodes: [] }))
    // The status comes through the callback.
    forwarded.on('error', () => undefined)
    forwarded.on('drain', () => call.resume())
    call.on('data', ({ part }: UploadRequest) => {
      if (part?.$case === 'slice' && !forwarded.write({ part })) call.pause()
    })
    call.on('end', () => forwarded.end())
  }
  return { definition: StorageBulkService, implementation: { upload } }
}

function count(): ServiceMount {
  const replicate = (
    call: ServerReadableStream<ReplicateRequest, ReplicateResponse>,
    answer: sendUnaryData<ReplicateResponse>,
  ): void => {
    call.resume()
    call.on('end', () => answer(null, { receipt: undefined }))
  }
  return { definition: ReplicationBulkService, implementation: { replicate } }
}

const [next] = process.argv.slice(2)
const { address } = await startServer({
  address: '127.0.0.1:0',
  services: [next === undefined ? count() : forwardTo(next)],
  serving: () => true,
  logger: silentLogger,
})
process.stdout.write(`${JSON.stringify({ address })}\n`)
// It ends with whoever started it.
process.stdin.on('end', () => process.exit()).resume()
