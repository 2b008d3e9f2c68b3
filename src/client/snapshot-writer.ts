import { isTwofoldError, TwofoldError } from '../core/errors.ts'
import { chunkIdFromKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { packBytesTarget, packsInFlight } from '../core/limits.ts'
import type { Session } from '../core/messages.ts'
import { unchangedReason } from '../core/model.ts'
import type { CommittedSnapshot, Snapshot } from '../core/model.ts'
import { encodeManifest, manifestVersion, snapshotIdOf } from '../format/manifest.ts'
import type { Manifest } from '../format/manifest.ts'
import { sealRecord } from '../format/record.ts'
import type { BackupDeps } from './backup-request.ts'
import { createBackupStats } from './backup-stats.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'
import { ContentReader } from './content-reader.ts'
import { ObjectPool } from './object-pool.ts'
import { PackFiller } from './pack-filler.ts'
import { PackUploader } from './pack-uploader.ts'
import { persistently } from '../core/persistently.ts'
import type { Progress } from './progress.ts'
import type { RunScope } from './run-scope.ts'
import { TreeStore } from './tree-store.ts'
import { commitAndWitness } from './witness-commit.ts'

/** What a snapshot says about itself, besides what the writer knows. */
export type SnapshotDescription = Omit<Manifest, 'version' | 'sessionId' | 'stats' | 'program' | 'vault'>

/**
 * Everything between content and a committed snapshot: chunks go into data packs as they come, trees after the data
 * that they refer to, the snapshot's record last. Its memory: batches of `ChunkPipeline`, one slab for each pack in
 * flight and one that is filled, and what `TreeStore` holds.
 */
export class SnapshotWriter {
  readonly stats = createBackupStats()
  readonly reader: ContentReader
  readonly trees: TreeStore
  readonly uploader: PackUploader
  readonly #deps: BackupDeps
  readonly #session: Session
  readonly #scope: RunScope
  readonly #onCommit: () => void
  readonly #data: PackFiller
  readonly #last: PackFiller

  /** `onCommit` is called right before the snapshot is committed, or left out, which ends the session. */
  constructor(deps: BackupDeps, session: Session, run: { scope: RunScope; progress: Progress; onCommit: () => void }) {
    const { scope, progress, onCommit } = run
    const { codec } = deps
    const { vaultId } = session
    this.#deps = deps
    this.#session = session
    this.#scope = scope
    this.#onCommit = onCommit
    const packBytes = deps.packBytes ?? packBytesTarget
    const slabs = new ObjectPool<Uint8Array>(packsInFlight + 1, () => Buffer.allocUnsafeSlow(packBytes))
    this.uploader = new PackUploader({ ...deps, session, progress, signal: scope.signal })
    this.#data = new PackFiller({ slabs, uploader: this.uploader, scope, vaultId, serial: false })
    this.#last = new PackFiller({ slabs, uploader: this.uploader, scope, vaultId, serial: true })
    const lookup = session.vaultEmpty ? undefined : this.lookup
    const pipeline = new ChunkPipeline({ scope, lookup, filler: this.#data, codec, vaultId, stats: this.stats })
    this.reader = new ContentReader(pipeline, (bytes) => {
      this.stats.readBytes += bytes
      progress.bytesDone += bytes
      progress.tick()
    })
    progress.split = () => {
      const { newBytes, readBytes } = this.stats
      // What was never read was there before.
      return { newBytes, knownBytes: Math.max(0, progress.bytesDone - readBytes) + pipeline.knownBytes }
    }
    const settleData = (): Promise<void> => {
      this.reader.flush()
      return pipeline.drain()
    }
    this.trees = new TreeStore({ lookup, settleData, filler: this.#last, codec, vaultId })
  }

  /** For each chunk whether the vault has it with enough copies. At most `lookupIdsMax`. */
  readonly lookup = (ids: readonly ChunkId[]): Promise<readonly boolean[]> => {
    const { manager } = this.#deps
    return this.#persistently(() => manager.lookupChunks(this.#session, ids, { signal: this.#scope.signal }))
  }

  /** Commits all that was given so far, and has the manager remember how far it is. The session goes on. */
  async checkpoint(description: SnapshotDescription): Promise<void> {
    await this.store()
    const manifest = this.#manifest(description)
    await this.#deps.manager.saveCheckpoint({ session: this.#session, manifest }, { signal: this.#scope.signal })
  }

  /** Commits all that was given so far, so that it can be read. */
  async store(): Promise<void> {
    await this.trees.finish()
    await this.#last.flush()
  }

  /** Commits all that was given so far, and then the snapshot. It ends the session. */
  async commit(description: SnapshotDescription): Promise<Snapshot> {
    await this.trees.finish()
    const manifest = this.#manifest(description)
    const snapshotId = snapshotIdOf(manifest)
    const chunkId = chunkIdFromKey(Buffer.from(snapshotId, 'hex').toString('latin1') as ChunkKey)
    const { vaultId } = this.#session
    const record = { vaultId, kind: 'snapshot', chunkId, plain: manifest, refs: description.tree } as const
    await this.#last.append(await sealRecord(record, this.#deps.codec))
    await this.#last.flush()
    this.#onCommit()
    return this.#commitSnapshot({ session: this.#session, snapshotId, manifest })
  }

  /** Ends the session without a snapshot, because none is needed. */
  async endUnchanged(): Promise<void> {
    const { manager } = this.#deps
    this.#onCommit()
    await this.#persistently(() => manager.endSession(this.#session, unchangedReason))
  }

  #manifest(description: SnapshotDescription): Uint8Array {
    this.stats.storedBytes = this.#data.storedBytes + this.#last.storedBytes
    return encodeManifest({
      ...description,
      version: manifestVersion,
      sessionId: this.#session.sessionId,
      stats: this.stats,
      program: this.#deps.program,
      vault: this.#session.vault,
    })
  }

  async #commitSnapshot(request: Parameters<BackupDeps['manager']['commitSnapshot']>[0]): Promise<Snapshot> {
    const { manager } = this.#deps
    try {
      const { signal } = this.#scope
      const commit = (): Promise<CommittedSnapshot> =>
        this.#persistently(() => manager.commitSnapshot(request, { signal }))
      const committed = await commitAndWitness(this.#deps, commit, signal)
      const { statement: _, witnessesNeeded: __, ...snapshot } = committed
      return snapshot
    } catch (error) {
      if (!isTwofoldError(error, 'missing-chunks')) throw error
      const message = 'the snapshot was not saved: some of its data lost copies while the backup ran; run it again'
      throw new TwofoldError('missing-chunks', `${message} (${error.message})`, { cause: error, fields: error.fields })
    }
  }

  #persistently<T>(call: () => Promise<T>): Promise<T> {
    const { clock, random } = this.#deps
    return persistently(call, { clock, random, signal: this.#scope.signal })
  }
}
