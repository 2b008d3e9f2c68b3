import type { PackId } from '../core/ids.ts'
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

/**
 * What people decide about a cluster, as a client asks for it. Meaning, idempotency and errors of each call are in
 * `admin.proto`. Any call may also end in `unavailable` or `deadline-exceeded`; its outcome is then unknown and it may
 * be repeated.
 */
export interface AdminApi {
  /** Resolves with the time until which they can be brought back, in milliseconds since the epoch. */
  forgetSnapshots(request: ForgetRequest, options?: CallOptions): Promise<number>
  undeleteSnapshots(request: SnapshotsRequest, options?: CallOptions): Promise<Recorded>
  pinSnapshots(request: PinRequest, options?: CallOptions): Promise<Recorded>
  tagSnapshots(request: TagRequest, options?: CallOptions): Promise<void>
  prune(request: PruneOptions, options?: CallOptions): Promise<PruneState>
  getPrune(options?: CallOptions): Promise<PruneState>
  beginRepack(request: BeginRepackRequest, options?: CallOptions): Promise<Session>
  listRepackable(vault: string, page: PageRequest, options?: CallOptions): Promise<Page<RepackablePack>>
  checkCatalogue(options?: CallOptions): AsyncIterable<CatalogueFinding>
  listPacks(request: ListPacksRequest, options?: CallOptions): Promise<Page<ListedPack>>
  assessLoss(packIds: readonly PackId[], options?: CallOptions): AsyncIterable<LossPart>
  /** Resolves with the packs that are needed no more. */
  finishRepack(session: SessionRef, packIds: readonly PackId[], options?: CallOptions): Promise<readonly PackId[]>
}
