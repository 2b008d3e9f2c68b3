/** A memory cluster with a client on it, for tests of what reads. */
import type { Clock } from '../../src/core/clock.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { Client } from '../../src/client/client.ts'
import type { BackupSummary } from '../../src/client/backup-request.ts'
import type { ProgressEvent } from '../../src/client/progress.ts'
import type { RestoreRequest, RestoreSummary } from '../../src/client/restore-request.ts'
import type { RestoreTarget } from '../../src/client/restore-target.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { AutoClock } from './auto-clock.ts'
import { MemoryCluster } from './memory-cluster.ts'
import { MemorySource } from './memory-source.ts'
import { SeededRandom } from './seeded-random.ts'

export class RestoreBench {
  readonly clock: Clock
  readonly random = new SeededRandom(7)
  readonly cluster: MemoryCluster
  readonly client: Client
  readonly source = new MemorySource()
  readonly events: ProgressEvent[] = []

  constructor(clock: Clock = new AutoClock()) {
    const { random } = this
    this.clock = clock
    this.cluster = new MemoryCluster({ clock, random })
    this.client = new Client({
      manager: this.cluster.manager,
      storage: this.cluster.storage,
      clock,
      random,
      logger: silentLogger,
      codec: inlineCodec,
      clientId: '1'.repeat(32),
      hostName: 'host',
      userName: 'user',
      program: 'test',
      close: () => undefined,
    })
  }

  /** Incompressible content. */
  content(length: number): Uint8Array {
    return this.random.bytes(length)
  }

  backup(path = '/'): Promise<BackupSummary> {
    return this.client.backup({ source: this.source, paths: [Buffer.from(path)], host: 'host' })
  }

  restore(target: RestoreTarget, request: Partial<RestoreRequest> = {}): Promise<RestoreSummary> {
    const onEvent = (event: ProgressEvent): void => void this.events.push(event)
    return this.client.restore({ reference: 'latest', target, ...request }, { onEvent })
  }

  /** The paths of which a problem was told, with its message. */
  problems(): [string, string][] {
    return this.events.flatMap((event): [string, string][] =>
      event.type === 'problem' ? [[event.path, event.message]] : [],
    )
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export async function joined(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collect(content))
}

export async function failure(work: Promise<unknown>): Promise<TwofoldError> {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  )
  if (error instanceof TwofoldError) return error
  throw error
}
