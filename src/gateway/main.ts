import { TwofoldError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { CallOptions } from '../core/model.ts'
import type { Client } from '../client/index.ts'
import type {
  DeleteRequest,
  DeleteResponse,
  GetRequest,
  GetResponse,
  HistoryRequest,
  HistoryResponse,
  ListRequest,
  ListResponse,
  PutRequest,
  PutResponse,
} from '../gen/twofold/v1/files.ts'
import { FilesBulkService } from '../rpc/bulk.ts'
import { clientStreamHandler, serverStreamHandler, unaryHandler } from '../rpc/handlers.ts'
import type { ServiceMount } from '../rpc/server.ts'
import { FilesRoom } from './files-room.ts'
import type { Passing } from './files-room.ts'
import { requireData, requireHeader, toFileVersion, toVersionNumber } from './convert.ts'

export interface FilesPorts {
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * The `Files` service: single named files for anyone with a gRPC client. It is the client library behind gRPC, mounted
 * on every node; where a file is stored is the manager's choice as for any client.
 */
export function filesService(client: Client, { logger, clock }: FilesPorts): ServiceMount {
  const files = new Files(client, logger.child({ service: 'files' }), new FilesRoom(clock))
  return {
    definition: FilesBulkService,
    implementation: {
      put: clientStreamHandler<PutRequest, PutResponse>((messages, context) => files.put(messages, context)),
      get: serverStreamHandler<GetRequest, GetResponse>((request, context) => files.get(request, context)),
      list: unaryHandler<ListRequest, ListResponse>((request, context) => files.list(request, context)),
      delete: unaryHandler<DeleteRequest, DeleteResponse>((request, context) => files.delete(request, context)),
      history: unaryHandler<HistoryRequest, HistoryResponse>((request, context) => files.history(request, context)),
    },
  }
}

class Files {
  readonly #client: Client
  readonly #logger: Logger
  readonly #room: FilesRoom

  constructor(client: Client, logger: Logger, room: FilesRoom) {
    this.#client = client
    this.#logger = logger
    this.#room = room
  }

  async put(messages: AsyncIterable<PutRequest>, { signal }: CallOptions): Promise<PutResponse> {
    const { passing, leave } = await this.#room.enter(signal)
    return this.#put(messages, passing, signal).finally(leave)
  }

  async #put(
    messages: AsyncIterable<PutRequest>,
    passing: Passing,
    signal: AbortSignal | undefined,
  ): Promise<PutResponse> {
    const iterator = messages[Symbol.asyncIterator]()
    const first = await iterator.next()
    const { name, vault, requestId } = requireHeader(first.done === true ? undefined : first.value)
    const info = await this.#client.putFile({ name, vault, requestId }, passing(contentOf(iterator)), { signal })
    this.#logger.info('stored a file', {
      file: name,
      version: info.version,
      bytes: info.lengthBytes,
      copies: info.copies,
    })
    return { version: toFileVersion(info) }
  }

  async *get(request: GetRequest, { signal }: CallOptions): AsyncGenerator<GetResponse> {
    const { passing, leave } = await this.#room.enter(signal)
    try {
      yield* this.#get(request, passing, signal)
    } finally {
      leave()
    }
  }

  async *#get(
    { name, version, vault }: GetRequest,
    passing: Passing,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<GetResponse> {
    const request = { name, vault, version: toVersionNumber(version) }
    const { version: info, content } = await this.#client.getFile(request, { signal })
    yield { part: { $case: 'version', value: toFileVersion(info) } }
    for await (const data of passing(content)) yield { part: { $case: 'data', value: data } }
  }

  async list({ prefix, vault, pageSize, pageToken }: ListRequest, options: CallOptions): Promise<ListResponse> {
    const page = await this.#client.listFiles({ prefix, vault, pageSize, pageToken }, options)
    return { files: page.items.map(toFileVersion), nextPageToken: page.nextPageToken }
  }

  async delete({ name, vault, requestId }: DeleteRequest, options: CallOptions): Promise<DeleteResponse> {
    const once = requestId === '' ? {} : { requestId }
    const info = await this.#client.deleteFile({ name, vault, ...once }, options)
    this.#logger.info('deleted a file', { file: name, version: info.version })
    return { version: toFileVersion(info) }
  }

  async history(request: HistoryRequest, options: CallOptions): Promise<HistoryResponse> {
    const { name, vault, pageSize, pageToken } = request
    const page = await this.#client.fileHistory({ name, vault, pageSize, pageToken }, options)
    if (page.items.length === 0 && pageToken === '') {
      throw new TwofoldError('not-found', `there never was a file "${name}"; list the files to see their names`)
    }
    return { versions: page.items.map(toFileVersion), nextPageToken: page.nextPageToken }
  }
}

/** The bytes behind the header. Ends the stream of messages when it is itself ended early. */
async function* contentOf(messages: AsyncIterator<PutRequest>): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
      yield requireData(next.value)
    }
  } finally {
    await messages.return?.()
  }
}
