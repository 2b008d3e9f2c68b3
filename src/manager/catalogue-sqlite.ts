import { DatabaseSync } from 'node:sqlite'
import { TwofoldError } from '../core/errors.ts'
import { catalogueGroupMax } from '../core/limits.ts'
import type { Catalogue, CatalogueReader, CatalogueWriter } from './catalogue.ts'
import { checkpointTable } from './sqlite/checkpoint-table.ts'
import { chunkTables } from './sqlite/chunk-tables.ts'
import { copyTable } from './sqlite/copy-table.ts'
import { damagedTable, unknownPackTable } from './sqlite/damage-tables.ts'
import { toStoreError } from './sqlite/errors.ts'
import { logTable, operationTable } from './sqlite/history-tables.ts'
import { KnownChunks } from './sqlite/known-chunks.ts'
import { migrate, requireSafeVersion } from './sqlite/migrate.ts'
import { nodeTable, orderTable } from './sqlite/node-tables.ts'
import { packTable } from './sqlite/pack-tables.ts'
import { recoveryTables } from './sqlite/recovery-tables.ts'
import { requestTable } from './sqlite/request-table.ts'
import { agentTable, runTable, scheduleTable, versionTable } from './sqlite/schedule-tables.ts'
import { sessionTable } from './sqlite/session-table.ts'
import { settingTable, vaultTable } from './sqlite/setting-tables.ts'
import { fileTable, snapshotTable } from './sqlite/snapshot-tables.ts'
import { Statements } from './sqlite/statements.ts'

interface Job {
  readonly write: boolean
  run(tx: CatalogueWriter): Promise<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
}

export interface SqliteOptions {
  /** The most that the catalogue may grow to, in pages of 4096 bytes; at the limit it is like a full disk. */
  readonly pagesMax?: number
}

/**
 * Opens, and where needed creates or migrates, the catalogue in the file `path`; `:memory:` is one that nothing keeps.
 * @throws TwofoldError `unsupported` when SQLite is too old or the catalogue comes from a newer program; `io` when it
 * cannot be opened.
 */
export function openSqliteCatalogue(path: string, options: SqliteOptions = {}): Catalogue {
  const database = openDatabase(path)
  try {
    requireSafeVersion(database)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    database.exec('PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000')
    migrate(database)
    if (options.pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${Math.floor(options.pagesMax)}`)
  } catch (error) {
    database.close()
    throw toStoreError(error)
  }
  return new SqliteCatalogue(database)
}

/**
 * Makes a copy of a catalogue in the new file `target`, as it is at one moment, also while others work on it.
 * @throws TwofoldError `io`, `no-room`
 */
export function copySqliteCatalogue(path: string, target: string): void {
  const database = openDatabase(path)
  try {
    // The target is written with the durability of this connection.
    database.exec('PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000')
    database.prepare('VACUUM INTO ?').run(target)
  } catch (error) {
    throw toStoreError(error)
  } finally {
    database.close()
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path)
  } catch (error) {
    throw new TwofoldError('io', `the catalogue "${path}" cannot be opened`, { cause: error })
  }
}

/**
 * One connection, one transaction at a time: SQLite works synchronously, so several would only wait for each other.
 * Writes that wait together share one commit, and so one fsync; each has a savepoint of its own.
 */
class SqliteCatalogue implements Catalogue {
  readonly #database: DatabaseSync
  readonly #tables: CatalogueWriter
  readonly #knownChunks: KnownChunks
  readonly #queue: Job[] = []
  #working: Promise<void> | undefined
  #closed = false
  #failure: TwofoldError | undefined

  constructor(database: DatabaseSync) {
    this.#database = database
    const statements = new Statements(database)
    this.#knownChunks = new KnownChunks(statements)
    this.#tables = {
      settings: settingTable(statements),
      vaults: vaultTable(statements),
      nodes: nodeTable(statements),
      sessions: sessionTable(statements),
      packs: packTable(statements),
      copies: copyTable(statements),
      damaged: damagedTable(statements),
      unknownPacks: unknownPackTable(statements),
      chunks: chunkTables(statements, this.#knownChunks),
      snapshots: snapshotTable(statements),
      checkpoints: checkpointTable(statements),
      files: fileTable(statements),
      orders: orderTable(statements),
      operations: operationTable(statements),
      log: logTable(statements),
      requests: requestTable(statements),
      recovery: recoveryTables(statements),
      schedules: scheduleTable(statements),
      runs: runTable(statements),
      versions: versionTable(statements),
      agents: agentTable(statements),
    }
  }

  read<T>(work: (tx: CatalogueReader) => Promise<T>): Promise<T> {
    return this.#enqueue(false, work)
  }

  write<T>(work: (tx: CatalogueWriter) => Promise<T>): Promise<T> {
    return this.#enqueue(true, work)
  }

  async upkeep(): Promise<boolean> {
    if (this.#knownChunks.ready) return false
    await this.read(async () => this.#knownChunks.step())
    return !this.#knownChunks.ready
  }

  healthy(): boolean {
    return !this.#closed && this.#failure === undefined
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    while (this.#working !== undefined) await this.#working
    this.#database.close()
  }

  #enqueue<T>(write: boolean, run: (tx: CatalogueWriter) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new TwofoldError('unavailable', 'the catalogue is closed'))
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ write, run, resolve: (value) => resolve(value as T), reject })
      this.#working ??= this.#work()
    })
  }

  async #work(): Promise<void> {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      if (this.#failure !== undefined) job.reject(this.#failure)
      else if (job.write) await this.#runWrites(job)
      else await this.#runRead(job)
    }
    this.#working = undefined
  }

  async #runRead(job: Job): Promise<void> {
    try {
      this.#database.exec('BEGIN')
    } catch (error) {
      job.reject(toStoreError(error))
      return
    }
    try {
      job.resolve(await job.run(this.#tables))
    } catch (error) {
      job.reject(toStoreError(error))
    }
    this.#rollBack()
  }

  /** Runs `first` and the writes that wait right behind it, commits them together, and only then answers any. */
  async #runWrites(first: Job): Promise<void> {
    const answers: (() => void)[] = []
    const members: Job[] = []
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      for (let job: Job | undefined = first; job !== undefined; job = this.#nextWrite(members.length)) {
        members.push(job)
        answers.push(await this.#runInSavepoint(job))
      }
      this.#database.exec('COMMIT')
    } catch (error) {
      const failure = toStoreError(error)
      // What the disk holds after a failed write or fsync is unknown until the file is opened again.
      if (!(failure instanceof TwofoldError) || failure.code === 'io') {
        this.#failure = new TwofoldError('io', 'the catalogue failed; check its disk, then restart the manager', {
          cause: error,
        })
      }
      this.#rollBack()
      for (const job of members.length === 0 ? [first] : members) job.reject(this.#failure ?? failure)
      return
    }
    for (const answer of answers) answer()
  }

  #nextWrite(members: number): Job | undefined {
    return members < catalogueGroupMax && this.#queue[0]?.write === true ? this.#queue.shift() : undefined
  }

  /** Resolves with the answer to give once the whole group is durable. Rejects when the group cannot go on. */
  async #runInSavepoint(job: Job): Promise<() => void> {
    this.#database.exec('SAVEPOINT job')
    try {
      const value = await job.run(this.#tables)
      this.#database.exec('RELEASE job')
      return () => job.resolve(value)
    } catch (error) {
      // SQLite gave up the whole transaction by itself, and the others of the group with it.
      if (!this.#database.isTransaction) throw error
      this.#database.exec('ROLLBACK TO job; RELEASE job')
      return () => job.reject(toStoreError(error))
    }
  }

  #rollBack(): void {
    // SQLite ends some failed transactions by itself; then there is nothing to roll back.
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }
}
