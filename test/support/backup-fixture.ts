/** One client, one source and one cluster in memory, for tests of backups. */
import { randomHexId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { runBackup } from '../../src/client/backup.ts'
import type { BackupDeps, BackupRequest, BackupSummary } from '../../src/client/backup-request.ts'
import type { ProgressEvent, RunOptions } from '../../src/client/progress.ts'
import { AutoClock } from './auto-clock.ts'
import { MemoryCluster } from './memory-cluster.ts'
import type { MemoryClusterOptions } from './memory-cluster.ts'
import { MemorySource } from './memory-source.ts'
import { SeededRandom } from './seeded-random.ts'
import { readSnapshot } from './snapshot-content.ts'
import type { StoredEntry } from './snapshot-content.ts'

export interface BackupFixture {
  readonly clock: AutoClock
  readonly random: SeededRandom
  readonly cluster: MemoryCluster
  readonly source: MemorySource
  readonly deps: BackupDeps
  /** All events of all backups. */
  readonly events: ProgressEvent[]
  /** Backs up `/src` unless the request says something else. */
  backup(request?: Partial<BackupRequest>, options?: RunOptions): Promise<BackupSummary>
  /** What is in a backup's snapshot, by path. */
  entries(summary: BackupSummary): Promise<Map<string, StoredEntry>>
  eventsOf<T extends ProgressEvent['type']>(type: T): Extract<ProgressEvent, { type: T }>[]
}

export function createBackupFixture(options: Partial<MemoryClusterOptions> & { seed?: number } = {}): BackupFixture {
  const clock = new AutoClock()
  const random = new SeededRandom(options.seed ?? 7)
  const cluster = new MemoryCluster({ clock, random, ...options })
  const source = new MemorySource()
  const { manager, storage } = cluster
  const deps: BackupDeps = {
    ...{ manager, storage, clock, random },
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
  }
}
