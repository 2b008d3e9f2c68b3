import type { LogFields, Logger } from '../../../src/core/logger.ts'
import type {
  ReadRequest,
  ReadResponse,
  StatRequest,
  StatResponse,
  StorageClient,
  UploadRequest,
  UploadResponse,
  VerifyResponse,
} from '../../../src/gen/twofold/v1/storage.ts'
import { StorageBulkClient, StorageBulkService } from '../../../src/rpc/bulk.ts'
import { ChannelPool } from '../../../src/rpc/channel.ts'
import { clientStreamHandler, serverStreamHandler, unaryHandler } from '../../../src/rpc/handlers.ts'
import type { CallContext } from '../../../src/rpc/handlers.ts'
import { startServer } from '../../../src/rpc/server.ts'
import type { RunningServer } from '../../../src/rpc/server.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

/** A service of the shape of `Storage` whose answers a test writes as it needs them. */
export interface Behaviour {
  upload(messages: AsyncIterable<UploadRequest>, context: CallContext): Promise<UploadResponse>
  read(request: ReadRequest, context: CallContext): AsyncIterable<ReadResponse>
  stat(request: StatRequest, context: CallContext): Promise<StatResponse>
}

export const noReceipts: UploadResponse = { receipts: [], nodes: [] }
export const absent: StatResponse = {
  present: false,
  lengthBytes: 0n,
  putSequence: 0n,
  incarnation: '',
  provenAtMs: 0n,
}

export class StorageFixture {
  /** The server's time. */
  readonly clock = new VirtualClock()
  readonly log: LogLine[] = []
  readonly behaviour: Partial<Behaviour> = {}
  readonly pool = new ChannelPool({ bulk: true })
  #server: RunningServer | undefined
  serving = true

  get server(): RunningServer {
    if (this.#server === undefined) throw new Error('start the fixture first')
    return this.#server
  }

  get client(): StorageClient {
    return this.pool.client(StorageBulkClient, this.server.address)
  }

  async start(options: { readonly sharedWindows?: boolean } = {}): Promise<void> {
    const missing = (): never => {
      throw new Error('the test does not say what this call does')
    }
    const verified: VerifyResponse = { good: true, problem: '', records: 0, lengthBytes: 0n, provenAtMs: 0n }
    const implementation = {
      upload: clientStreamHandler<UploadRequest, UploadResponse>(
        (messages, context) => this.behaviour.upload?.(messages, context) ?? missing(),
      ),
      read: serverStreamHandler<ReadRequest, ReadResponse>(
        (request, context) => this.behaviour.read?.(request, context) ?? missing(),
      ),
      stat: unaryHandler<StatRequest, StatResponse>(
        (request, context) => this.behaviour.stat?.(request, context) ?? missing(),
      ),
      verify: unaryHandler(() => Promise.resolve(verified)),
    }
    this.#server = await startServer({
      address: '127.0.0.1:0',
      services: [{ definition: StorageBulkService, implementation }],
      serving: () => this.serving,
      logger: this.#logger(),
      clock: this.clock,
      idleMs: 30_000,
      ...options,
    })
  }

  async stop(): Promise<void> {
    this.pool.close()
    let drained = false
    void this.server.drain(1).then(() => (drained = true))
    await until(
      () => drained,
      () => this.clock.advance(1000),
    )
  }

  #logger(): Logger {
    const at =
      (level: string) =>
      (message: string, fields: LogFields = {}) =>
        void this.log.push({ level, message, fields })
    const logger: Logger = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => logger,
    }
    return logger
  }
}

/** Waits for a condition; `meanwhile` is done before each look. The test's own time limit ends it. */
export async function until(condition: () => boolean, meanwhile: () => void = () => undefined): Promise<void> {
  while (!condition()) {
    meanwhile()
    await systemClock.sleep(2)
  }
}

/** A promise with its resolver. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open: (value: T) => void = () => undefined
  const opened = new Promise<T>((resolve) => (open = resolve))
  return { opened, open: (value) => open(value) }
}

/** Requests of an upload with these slices. */
export async function* slices(...values: Uint8Array[]): AsyncGenerator<UploadRequest> {
  for (const value of values) yield await Promise.resolve({ part: { $case: 'slice' as const, value } })
}

/** What `work` fails with. */
export async function failureOf(work: Promise<unknown>): Promise<{ code?: unknown; message: string }> {
  try {
    await work
  } catch (error) {
    return error as { code?: unknown; message: string }
  }
  throw new Error('it did not fail')
}

/** The bytes of an upload request. */
export function sliceOf(request: UploadRequest): Uint8Array {
  if (request.part?.$case !== 'slice') throw new Error('not a slice')
  return request.part.value
}
