/**
 * Sends bytes to a hop as fast as grpc-js takes them, and prints how long that took.
 *
 * Usage: node pipeline-sender.ts ADDRESS BYTES
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { sliceBytes } from '../../src/core/limits.ts'
import type { UploadRequest } from '../../src/gen/twofold/v1/storage.ts'
import { StorageBulkClient } from '../../src/rpc/bulk.ts'
import { ChannelPool } from '../../src/rpc/channel.ts'

const connectMs = 10_000

const [address = '', bytes = ''] = process.argv.slice(2)
const channels = new ChannelPool({ bulk: true })
const client = channels.client(StorageBulkClient, address)
await new Promise<void>((resolve, reject) => {
  client.waitForReady(Date.now() + connectMs, (error) => (error === undefined ? resolve() : reject(error)))
})

const start = performance.now()
const answered = Promise.withResolvers<void>()
const call = client.upload((error) => (error === null ? answered.resolve() : answered.reject(error)))
call.on('error', answered.reject)
const slice = randomBytes(sliceBytes)
for (let left = Number(bytes); left > 0; left -= sliceBytes) {
  const message: UploadRequest = { part: { $case: 'slice', value: slice.subarray(0, Math.min(left, sliceBytes)) } }
  if (!call.write(message)) await Promise.race([once(call, 'drain'), answered.promise])
}
call.end()
await answered.promise
process.stdout.write(JSON.stringify({ seconds: (performance.now() - start) / 1000 }))
channels.close()
