import { describeError, isTwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { packBytesTarget, packsInFlight, repackFinishPacks } from '../core/limits.ts'
import type { RepackablePack } from '../core/admin-messages.ts'
import type { Session } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import { persistently } from '../core/persistently.ts'
import type { SealedRecord } from '../format/record.ts'
import type { AdminApi } from './admin-api.ts'
import type { BackupDeps } from './backup-request.ts'
import { ObjectPool } from './object-pool.ts'
import { PackFiller } from './pack-filler.ts'
import { PackUploader } from './pack-uploader.ts'
import { allPages } from './paged.ts'
import { Progress } from './progress.ts'
import { RecordCopier } from './record-copier.ts'
import { RunScope } from './run-scope.ts'
import { SessionKeeper } from './session-keeper.ts'

export interface RepackDeps extends BackupDeps {
  readonly admin: AdminApi
}

export interface Moved {
  /** Packs of which everything was moved. */
  readonly packs: number
  readonly bytes: number
  /** Packs that could not be read, or are in use. */
  readonly packsLeft: number
}

export interface RepackRun extends CallOptions {
  readonly vault: string
  readonly onMoved: (moved: Moved) => void
  readonly onProblem: (packId: PackId, message: string) => void
}

/**
 * Moves what is needed of the packs that the newest prune listed into new ones. It may end at any point: a record lies
 * where it was until its new pack is committed, and a pack stays until all of it was moved.
 */
export async function repack(deps: RepackDeps, run: RepackRun): Promise<Moved> {
  const scope = new RunScope(run.signal)
  const { admin, clock, random, clientId, hostName: host, userName: user } = deps
  const { signal } = scope
  try {
    const request = { clientId, requestId: randomHexId<string>(random), vault: run.vault, host, user }
    const session = await persistently(() => admin.beginRepack(request, { signal }), { clock, random, signal })
    const keeper = new SessionKeeper(deps, session, (error) => scope.fail(error))
    keeper.start()
    let reason = ''
    try {
      return await new Mover(deps, session, scope, run).move()
    } catch (error) {
      reason = describeError(scope.failure(error))
      throw error
    } finally {
      await keeper.stop()
      await endSession(deps, session, reason)
    }
  } catch (error) {
    throw scope.failure(error)
  } finally {
    scope.close()
  }
}

async function endSession(deps: RepackDeps, session: Session, reason: string): Promise<void> {
  try {
    await deps.manager.endSession(session, reason)
  } catch (error) {
    // The lease ends it as well, only later.
    deps.logger.debug('the session could not be ended', { sessionId: session.sessionId, error })
  }
}

class Mover {
  readonly #deps: RepackDeps
  readonly #session: Session
  readonly #scope: RunScope
  readonly #run: RepackRun
  readonly #copier: RecordCopier
  readonly #data: PackFiller
  /** Trees and snapshots are read together, and so they stay together. */
  readonly #trees: PackFiller
  #pending: PackId[] = []
  #bytes = 0
  #finished = 0
  #left = 0

  constructor(deps: RepackDeps, session: Session, scope: RunScope, run: RepackRun) {
    this.#deps = deps
    this.#session = session
    this.#scope = scope
    this.#run = run
    this.#copier = new RecordCopier(deps)
    const slabs = new ObjectPool<Uint8Array>(packsInFlight + 2, () => Buffer.allocUnsafeSlow(packBytesTarget))
    const progress = new Progress(deps.clock)
    const uploader = new PackUploader({ ...deps, session, progress, signal: scope.signal })
    const rest = { slabs, uploader, scope, vaultId: session.vaultId }
    this.#data = new PackFiller({ ...rest, serial: false })
    this.#trees = new PackFiller({ ...rest, serial: true })
  }

  async move(): Promise<Moved> {
    const { admin, clock, random } = this.#deps
    const { signal } = this.#scope
    const packs = allPages((page) =>
      persistently(() => admin.listRepackable(this.#run.vault, page, { signal }), { clock, random, signal }),
    )
    for await (const pack of packs) {
      await this.#movePack(pack)
      if (this.#pending.length >= repackFinishPacks) await this.#finish()
    }
    await this.#finish()
    return this.#moved()
  }

  async #movePack(pack: RepackablePack): Promise<void> {
    const { packId } = pack.pack
    try {
      for await (const record of this.#copier.read(pack, this.#scope.signal)) await this.#append(record)
      this.#pending.push(packId)
    } catch (error) {
      this.#scope.throwIfFailed()
      if (!isTwofoldError(error)) throw error
      this.#left += 1
      this.#run.onProblem(packId, describeError(error))
    }
    this.#run.onMoved(this.#moved())
  }

  async #append(record: SealedRecord): Promise<void> {
    this.#bytes += record.header.length + record.stored.length
    await (record.kind === 'data' ? this.#data : this.#trees).append(record)
  }

  /** Once everything appended so far is committed, the packs that it came from may go. */
  async #finish(): Promise<void> {
    const { admin, clock, random } = this.#deps
    const { signal } = this.#scope
    await this.#data.flush()
    await this.#trees.flush()
    const packs = this.#pending
    this.#pending = []
    if (packs.length === 0) return
    let left: readonly PackId[] = packs
    for (let more = true; more && left.length > 0;) {
      const asked = left
      const call = () => admin.finishRepack(this.#session, asked, { signal })
      const finished = new Set(await persistently(call, { clock, random, signal }))
      left = asked.filter((packId) => !finished.has(packId))
      this.#finished += finished.size
      more = finished.size > 0
    }
    this.#left += left.length
    this.#run.onMoved(this.#moved())
  }

  #moved(): Moved {
    return { packs: this.#finished, bytes: this.#bytes, packsLeft: this.#left }
  }
}
