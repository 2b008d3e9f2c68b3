import type { SnapshotStats } from '../format/manifest.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Codec } from '../format/codec.ts'
import type { Excludes } from './excludes.ts'
import type { ManagerApi } from './manager-api.ts'
import type { SnapshotInfo } from './snapshot-info.ts'
import type { SourceTree } from './source-tree.ts'
import type { StorageApi } from './storage-api.ts'

/** What the backup engine works with; `ClientDeps` has all of it. */
export interface BackupDeps {
  readonly manager: ManagerApi
  readonly storage: StorageApi
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly codec: Codec
  /** 32 hexadecimal digits, one for each process. */
  readonly clientId: string
  readonly hostName: string
  readonly userName: string
  /** Name and version of the program, for the manifest. */
  readonly program: string
  /** How long packs get, in bytes; the default suits disks and networks. */
  readonly packBytes?: number
}

export interface BackupRequest {
  readonly source: SourceTree
  /** Absolute, as bytes; nested and repeated ones are merged. */
  readonly paths: readonly Uint8Array[]
  /** The machine's name unless given. */
  readonly host?: string | undefined
  readonly vault?: string | undefined
  readonly tags?: readonly string[] | undefined
  /** What to leave out; `createExcludes` makes one from patterns. */
  readonly excludes?: Excludes | undefined
  /** The patterns behind `excludes`, for the manifest. */
  readonly excludePatterns?: readonly string[] | undefined
  /** Mount points below a path are saved as empty directories. */
  readonly oneFileSystem?: boolean | undefined
  /** An id or the beginning of one; otherwise the newest snapshot of the same host and paths. */
  readonly parent?: string | undefined
  /** Reads every file, whatever the parent says. */
  readonly force?: boolean | undefined
  /** How many reads of files may be on their way at once; 1 unless given. */
  readonly readConcurrency?: number | undefined
  /** Compares with the parent only: opens no session, reads no file, writes nothing. */
  readonly dryRun?: boolean | undefined
  /**
   * False: does not count ahead what there is to save. Without a parent `status` events then cannot say how much is
   * left, and the source is listed once instead of twice.
   */
  readonly countAhead?: boolean | undefined
  /**
   * How often it saves how far it is, in milliseconds, so that the next backup of the same host and paths goes on from
   * there should this one be interrupted; 0 means never. Every five minutes unless given,
   * or more seldom where that would take more than a twentieth of the time.
   */
  readonly checkpointIntervalMs?: number | undefined
  /**
   * Makes no snapshot when the source is as the parent has it: the same names, contents and metadata. Stores nothing
   * then, except for small files whose content must be compared.
   */
  readonly skipIfUnchanged?: boolean | undefined
  /** The snapshot's time; now unless given. */
  readonly timeNs?: bigint | undefined
  /** Content that becomes the file `name` directly under the root, beside `paths` (which may then be empty). */
  readonly stdin?: { readonly name: string; readonly content: AsyncIterable<Uint8Array> } | undefined
}

/** A pack that a run wrote, and the nodes that had it durable when it was committed. */
export interface WrittenPack {
  readonly packId: string
  readonly nodes: readonly string[]
  readonly lengthBytes: number
}

export interface BackupSummary {
  /** Undefined after a dry run, and where nothing was made because nothing had changed. */
  readonly snapshot: SnapshotInfo | undefined
  readonly stats: SnapshotStats
  /** Id of the snapshot that unchanged files were taken from. */
  readonly parent: string | undefined
  /** When the interrupted backup that this one went on from saved how far it was, in milliseconds; if it did. */
  readonly resumedFromMs?: number | undefined
  /** Whether no snapshot was made because the source is as the one of `parent`. */
  readonly unchanged?: boolean | undefined
  readonly durationMs: number
  /** Bytes handed to the network, repeated ones included. */
  readonly bytesSent: number
  readonly problems: number
  readonly packs: readonly WrittenPack[]
}
