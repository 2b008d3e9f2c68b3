import { parsePackId } from '../core/ids.ts'
import type { StorageServer, UploadRequest } from '../gen/twofold/v1/storage.ts'
import { StorageBulkService } from '../rpc/bulk.ts'
import { admittingHandler, serverStreamHandler, unaryHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import { toReadRequest, toSigned, toUploadHeader } from './convert.ts'
import { openStream } from './pack-stream.ts'
import type { StorageNode } from './storage-node.ts'

/** `Storage` behind gRPC: translation and nothing else. */
export function storageService(node: StorageNode): ServiceMount {
  const implementation: StorageServer = {
    upload: admittingHandler(async (messages: AsyncIterable<UploadRequest>, { signal, admit }) => {
      const { header, slices } = await openStream(messages, admit)
      const { receipts, nodes } = await node.upload(toUploadHeader(header), slices, { signal })
      return { receipts: [...receipts], nodes: [...nodes] }
    }),
    read: serverStreamHandler(async function* (request, { signal }) {
      for await (const { offset, data } of node.read(toReadRequest(request), { signal })) {
        yield { offset: BigInt(offset), data }
      }
    }),
    stat: unaryHandler(async ({ packId }) => {
      const stat = node.stat(parsePackId(packId))
      return {
        ...stat,
        lengthBytes: BigInt(stat.lengthBytes),
        putSequence: BigInt(stat.putSequence),
        provenAtMs: BigInt(stat.provenAtMs),
      }
    }),
    verify: unaryHandler(async ({ packId }, { signal }) => {
      const verdict = await node.verify(parsePackId(packId), { signal })
      return { ...verdict, lengthBytes: BigInt(verdict.lengthBytes), provenAtMs: BigInt(verdict.provenAtMs) }
    }),
    witness: unaryHandler(async ({ statement }) => {
      await node.witness(toSigned(statement))
      return {}
    }),
  }
  return { definition: StorageBulkService, implementation }
}
