/** One client with a source in memory on a cluster of real parts, for tests of backups. */
import { randomHexId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { runBackup } from '../../src/client/backup.ts'
import type { BackupDeps, BackupRequest, BackupSummary } from '../../src/client/backup-request.ts'
import type { ProgressEvent, RunOptions } from '../../src/client/progress.ts'
import { AutoClock } from './auto-clock.ts'
import { MemorySource } from './memory-source.ts'
import { NodeCluster } from './node-cluster.ts'
import { SeededRandom } from './seeded-random.ts'
import { readSnapshot } from './snapshot-content.ts'
import type { StoredEntry } from './snapshot-content.ts'

export interface BackupFixture {
  readonly clock: AutoClock
  readonly random: SeededRandom
  readonly cluster: NodeCluster
  readonly source: MemorySource
  readonly deps: BackupDeps
  /** All events of all backups. */
  readonly events: ProgressEvent[]
  /** Backs up `/src` unless the request says something else. */
  backup(request?: Partial<BackupRequest>, options?: RunOptions): Promise<BackupSummary>
  /** What is in a backup's snapshot, by path. */
  entries(summary: BackupSummary): Promise<Map<string, StoredEntry>>
  eventsOf<T extends ProgressEvent['type']>(type: T): Extract<ProgressEvent, { type: T }>[]
  /** These nodes stay away until the manager counts what is on them no more. Sessions live longer than that. */
  lose(...names: string[]): void
}

/** Half of a session's lease. */
const deadAfterMs = 30_000

export async function createBackupFixture(options: { seed?: number; nodes?: number } = {}): Promise<BackupFixture> {
  const clock = new AutoClock()
  const random = new SeededRandom(options.seed ?? 7)
  const names = Array.from({ length: options.nodes ?? 3 }, (_, index) => `n${index + 1}`)
  const cluster = await NodeCluster.start(names, { clock, random, timing: { deadAfterMs } })
  const source = new MemorySource()
  const deps: BackupDeps = {
    ...cluster.clientPorts,
    ...{ clock, random },
    logger: silentLogger,
    codec: inlineCodec,
    clientId: randomHexId<string>(random),
    hostName: 'machine',
    userName: 'somebody',
    program: 'twofold test',
  }
  const events: ProgressEvent[] = []
  return {
    ...{ clock, random, cluster, source, deps, events },
    backup: (request = {}, runOptions = {}) => {
      const onEvent = (event: ProgressEvent): void => void events.push(event)
      return runBackup(deps, { source, paths: [Buffer.from('/src')], ...request }, { onEvent, ...runOptions })
    },
    entries: async (summary) => (await readSnapshot(cluster, summary.snapshot?.id ?? '')).entries,
    eventsOf: <T extends ProgressEvent['type']>(type: T) => {
      return events.filter((event): event is Extract<ProgressEvent, { type: T }> => event.type === type)
    },
    lose: (...names) => {
      for (const name of names) cluster.kill(name)
      clock.advance(deadAfterMs)
    },
  }
}
