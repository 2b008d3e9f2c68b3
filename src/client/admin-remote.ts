import { parsePackId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { commitDeadlineMs } from '../core/limits.ts'
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
import { AdminClient, AdminService } from '../gen/twofold/v1/admin.ts'
import type { ChannelPool } from '../rpc/channel.ts'
import type { AdminApi } from './admin-api.ts'
import { toFinding, toListedPack, toLoss, toPruneState, toRecorded, toRepackable } from './admin-convert.ts'
import { required, toNumber, toSession } from './convert.ts'
import { ManagerCalls } from './manager-calls-remote.ts'

/** The manager's administrative calls at the other end of gRPC. */
export class AdminRemote implements AdminApi {
  readonly #calls: ManagerCalls

  /** @param addresses `host:port` each, at least one. */
  constructor(channels: ChannelPool, addresses: readonly string[]) {
    this.#calls = new ManagerCalls(channels, addresses, AdminClient)
  }

  async forgetSnapshots(request: ForgetRequest, options?: CallOptions): Promise<number> {
    const message = { ...request, snapshotIds: [...request.snapshotIds], requestId: request.requestId ?? '' }
    return toNumber((await this.#calls.call(AdminService.forgetSnapshots, message, options)).expiresAtMs)
  }

  async undeleteSnapshots(request: SnapshotsRequest, options?: CallOptions): Promise<Recorded> {
    const message = { ...request, snapshotIds: [...request.snapshotIds], requestId: request.requestId ?? '' }
    return toRecorded(await this.#calls.call(AdminService.undeleteSnapshots, message, options))
  }

  async pinSnapshots(request: PinRequest, options?: CallOptions): Promise<Recorded> {
    const message = { ...request, snapshotIds: [...request.snapshotIds], requestId: request.requestId ?? '' }
    return toRecorded(await this.#calls.call(AdminService.pinSnapshots, message, options))
  }

  async tagSnapshots(request: TagRequest, options?: CallOptions): Promise<void> {
    const { snapshotIds, add, remove, requestId = '' } = request
    const lists = { snapshotIds: [...snapshotIds], add: [...add], remove: [...remove] }
    await this.#calls.call(AdminService.tagSnapshots, { ...request, ...lists, requestId }, options)
  }

  async prune(request: PruneOptions, options?: CallOptions): Promise<PruneState> {
    const message = { ...request, requestId: request.requestId ?? '' }
    return toPruneState((await this.#calls.call(AdminService.prune, message, options)).state)
  }

  async getPrune(options?: CallOptions): Promise<PruneState> {
    return toPruneState((await this.#calls.call(AdminService.getPrune, {}, options)).state)
  }

  async beginRepack(request: BeginRepackRequest, options?: CallOptions): Promise<Session> {
    const { session } = await this.#calls.call(AdminService.beginRepack, request, options)
    return toSession(required(session, 'session'))
  }

  async listRepackable(vault: string, page: PageRequest, options?: CallOptions): Promise<Page<RepackablePack>> {
    const reply = await this.#calls.call(AdminService.listRepackable, { vault, ...page }, options)
    return { items: reply.packs.map(toRepackable), nextPageToken: reply.nextPageToken }
  }

  async *checkCatalogue(options?: CallOptions): AsyncGenerator<CatalogueFinding> {
    const findings = this.#calls.stream(AdminService.checkCatalogue, {}, options)
    for await (const finding of findings) yield toFinding(finding)
  }

  async listPacks(request: ListPacksRequest, options?: CallOptions): Promise<Page<ListedPack>> {
    const reply = await this.#calls.call(AdminService.listPacks, request, options)
    return { items: reply.packs.map(toListedPack), nextPageToken: reply.nextPageToken }
  }

  async *assessLoss(packIds: readonly PackId[], options?: CallOptions): AsyncGenerator<LossPart> {
    const parts = this.#calls.stream(AdminService.assessLoss, { packIds: [...packIds] }, options)
    for await (const part of parts) yield toLoss(part)
  }

  async finishRepack(
    { sessionId, sessionToken }: SessionRef,
    packIds: readonly PackId[],
    options?: CallOptions,
  ): Promise<readonly PackId[]> {
    const request = { session: { sessionId, sessionToken }, packIds: [...packIds] }
    const long = { ...options, deadlineMs: commitDeadlineMs }
    return (await this.#calls.call(AdminService.finishRepack, request, long)).finishedPackIds.map(parsePackId)
  }
}
