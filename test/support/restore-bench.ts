/** A client on a cluster of real parts, for tests of what reads. */
import type { Clock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Random } from '../../src/core/random.ts'
import { Client } from '../../src/client/client.ts'
import type { BackupSummary } from '../../src/client/backup-request.ts'
import type { ProgressEvent } from '../../src/client/progress.ts'
import type { RestoreRequest, RestoreSummary } from '../../src/client/restore-request.ts'
import type { RestoreTarget } from '../../src/client/restore-target.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { AutoClock } from './auto-clock.ts'
import { MemorySource } from './memory-source.ts'
import { NodeCluster } from './node-cluster.ts'

export class RestoreBench {
  readonly clock: Clock
  readonly random: Random
  readonly cluster: NodeCluster
  readonly client: Client
  readonly source = new MemorySource()
  readonly events: ProgressEvent[] = []

  private constructor(cluster: NodeCluster) {
    const { clock, random } = cluster
    this.clock = clock
    this.random = random
    this.cluster = cluster
    this.client = new Client({
      ...cluster.clientPorts,
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

  static async start(clock: Clock = new AutoClock()): Promise<RestoreBench> {
    return new RestoreBench(await NodeCluster.start(['n1', 'n2', 'n3'], { clock }))
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
