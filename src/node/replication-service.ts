import type { ReplicateRequest, ReplicationServer } from '../gen/twofold/v1/replication.ts'
import { ReplicationBulkService } from '../rpc/bulk.ts'
import { admittingHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import { toReplicateHeader } from './convert.ts'
import { openStream } from './pack-stream.ts'
import type { StorageNode } from './storage-node.ts'

/** `Replication` behind gRPC: translation and nothing else. */
export function replicationService(node: StorageNode): ServiceMount {
  const implementation: ReplicationServer = {
    replicate: admittingHandler(async (messages: AsyncIterable<ReplicateRequest>, { signal, admit }) => {
      const { header, slices } = await openStream(messages, admit)
      return { receipt: await node.replicate(toReplicateHeader(header), slices, { signal }) }
    }),
  }
  return { definition: ReplicationBulkService, implementation }
}
