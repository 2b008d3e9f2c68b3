import { TwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'
import { catalogueSliceRows, gcSnapshotsPerSlice, pageBytesMax } from '../core/limits.ts'
import type {
  BeginRepackRequest,
  ForgetRequest,
  PinRequest,
  PruneOptions,
  PruneState,
  Recorded,
  RepackablePack,
  SnapshotsRequest,
  TagRequest,
} from '../core/admin-messages.ts'
import type { CatalogueFinding, ListedPack, ListPacksRequest, LossPart } from '../core/check-messages.ts'
import type { Page, PageRequest, Session, SessionRef } from '../core/messages.ts'
import type { CallOptions } from '../core/model.ts'
import { checkCatalogue } from './check/catalogue-check.ts'
import { listPacks } from './check/listed-packs.ts'
import { assessLoss } from './check/loss.ts'
import type { ManagerContext } from './context.ts'
import { finishRepack } from './gc/finish-repack.ts'
import type { PruneWorker } from './gc/prune-worker.ts'
import { forgetSnapshots, pinSnapshots, undeleteSnapshots } from './gc/trash.ts'
import { locatePacks } from './lookup.ts'
import { once } from './once.ts'
import { makeToken, pageLimit, readNumberToken } from './paging.ts'
import { beginRepack } from './sessions.ts'
import { tagSnapshots } from './tag-snapshots.ts'
import { findVault } from './vaults.ts'

/** What people decide about the cluster. `admin.proto` has the meaning, idempotency and errors of every call. */
export class Admin {
  readonly #context: ManagerContext
  readonly #prune: PruneWorker

  constructor(context: ManagerContext, prune: PruneWorker) {
    this.#context = context
    this.#prune = prune
  }

  forgetSnapshots(request: ForgetRequest, options?: CallOptions): Promise<number> {
    return this.#call(options, (context) => forgetSnapshots(context, request))
  }

  undeleteSnapshots(request: SnapshotsRequest, options?: CallOptions): Promise<Recorded> {
    return this.#call(options, (context) => undeleteSnapshots(context, request))
  }

  pinSnapshots(request: PinRequest, options?: CallOptions): Promise<Recorded> {
    return this.#call(options, (context) => pinSnapshots(context, request))
  }

  tagSnapshots(request: TagRequest, options?: CallOptions): Promise<void> {
    return this.#call(options, (context) => tagSnapshots(context, request))
  }

  prune(request: PruneOptions, options?: CallOptions): Promise<PruneState> {
    const permille = request.unusedPermilleMax ?? 0
    if (!(permille >= 0 && permille <= 1000)) {
      throw new TwofoldError('invalid-argument', 'what may stay unused is 0 to 1000 thousandths')
    }
    return this.#call(options, (context) =>
      once(context, { kind: 'prune', request }, async () => this.#prune.start(request)),
    )
  }

  getPrune(options?: CallOptions): Promise<PruneState> {
    return this.#call(options, async () => this.#prune.state)
  }

  beginRepack(request: BeginRepackRequest, options?: CallOptions): Promise<Session> {
    return this.#call(options, (context) => beginRepack(context, request))
  }

  finishRepack(session: SessionRef, packIds: readonly PackId[], options?: CallOptions): Promise<readonly PackId[]> {
    return this.#call(options, (context) => finishRepack(context, this.#prune.repackable().live, { session, packIds }))
  }

  listRepackable(vaultName: string, page: PageRequest, options?: CallOptions): Promise<Page<RepackablePack>> {
    return this.#call(options, (context) => this.#repackablePage(context, vaultName, page))
  }

  checkCatalogue(options?: CallOptions): AsyncIterable<CatalogueFinding> {
    return checkCatalogue(this.#context, options?.signal)
  }

  listPacks(request: ListPacksRequest, options?: CallOptions): Promise<Page<ListedPack>> {
    return this.#call(options, (context) => listPacks(context, request))
  }

  assessLoss(packIds: readonly PackId[]): AsyncIterable<LossPart> {
    return assessLoss(this.#context, packIds)
  }

  async #repackablePage(context: ManagerContext, vaultName: string, page: PageRequest): Promise<Page<RepackablePack>> {
    const { live, packs } = this.#prune.repackable()
    const limit = Math.min(pageLimit(page.pageSize), gcSnapshotsPerSlice)
    const first = readNumberToken('repackable', page.pageToken) ?? 0
    const items: RepackablePack[] = []
    let next = first
    let bytes = 0
    let looked = 0
    await context.catalogue.read(async (tx) => {
      const vault = await findVault(tx, vaultName)
      for (const id of packs.slice(first, first + limit)) {
        const chunks = await tx.chunks.ofPack(vault.id, id)
        const records = chunks.filter((chunk) => live.mayBeNeeded(chunk.chunkId))
        bytes += records.length * recordBytes + packBytes
        looked += chunks.length
        if (items.length > 0 && (bytes > pageBytesMax || looked > catalogueSliceRows)) return
        next += 1
        const [row] = await tx.packs.byIds([id])
        const pack = (await locatePacks(context, tx, [id])).get(id)
        if (row?.state === 'committed' && row.vault === vault.id && pack !== undefined) items.push({ pack, records })
      }
    })
    return { items, nextPageToken: next < packs.length ? makeToken('repackable', String(next)) : '' }
  }

  /** As for the manager's other calls: what has begun is finished whatever the caller does. */
  async #call<T>(options: CallOptions | undefined, run: (context: ManagerContext) => Promise<T>): Promise<T> {
    options?.signal?.throwIfAborted()
    return run(this.#context)
  }
}

/** About what a record, and a pack with its nodes, take in a message. */
const recordBytes = 50
const packBytes = 2000
