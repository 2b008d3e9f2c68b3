import type { ReplicateHeader } from '../core/storage-messages.ts'
import type { ReplicateRequest } from '../gen/twofold/v1/replication.ts'
import { ReplicationBulkClient, ReplicationBulkService } from '../rpc/bulk.ts'
import { callClientStream } from '../rpc/calls.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import { toSigned } from './convert.ts'
import type { PeerApi } from './peer-api.ts'

/** Other nodes over gRPC. */
export function remotePeers(pool: ChannelPool): PeerApi {
  return {
    replicate: async (peer, header, slices, { signal } = {}) => {
      const client = pool.client(ReplicationBulkClient, peer.address)
      const messages = messagesOf(header, slices)
      const answer = await callClientStream(client, ReplicationBulkService.replicate, messages, {
        signal,
        untilAdmitted: true,
      })
      return toSigned(answer.receipt)
    },
  }
}

async function* messagesOf(
  { ticket, lengthBytes }: ReplicateHeader,
  slices: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReplicateRequest> {
  yield { part: { $case: 'header', value: { ticket, lengthBytes: BigInt(lengthBytes) } } }
  for await (const value of slices) yield { part: { $case: 'slice', value } }
}
