/** Between the messages of `admin.proto` and the plain data of `core`, in the directions that the manager needs. */
import { parsePackId, parseSnapshotId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import type * as admin from '../core/admin-messages.ts'
import type { CatalogueFinding, ListedPack, LossPart } from '../core/check-messages.ts'
import type * as plain from '../core/messages.ts'
import type * as wire from '../gen/twofold/v1/admin.ts'
import { fromPackCopy, fromSession, toSessionRef } from './convert.ts'

export function toForget(request: wire.ForgetSnapshotsRequest): admin.ForgetRequest {
  return { ...request, snapshotIds: request.snapshotIds.map(parseSnapshotId) }
}

export function toUndelete(request: wire.UndeleteSnapshotsRequest): admin.SnapshotsRequest {
  return { ...request, snapshotIds: request.snapshotIds.map(parseSnapshotId) }
}

export function toPin(request: wire.PinSnapshotsRequest): admin.PinRequest {
  return { ...request, snapshotIds: request.snapshotIds.map(parseSnapshotId) }
}

export function fromRecorded({ recordedBy, wanted }: admin.Recorded): wire.UndeleteSnapshotsResponse {
  return { recordedBy, recordedWanted: wanted }
}

export function toTag(request: wire.TagSnapshotsRequest): admin.TagRequest {
  return { ...request, snapshotIds: request.snapshotIds.map(parseSnapshotId) }
}

export function toPrune(request: wire.PruneRequest): admin.PruneOptions {
  const { dryRun, findRepackable, unusedPermilleMax, requestId } = request
  return { dryRun, findRepackable, unusedPermilleMax, requestId }
}

export function fromPruneState(state: admin.PruneState): wire.PruneState {
  const { run, phase, problem, dryRun } = state
  return {
    ...{ run, phase, problem, dryRun },
    done: BigInt(state.done),
    total: BigInt(state.total),
    snapshotsRemoved: BigInt(state.snapshotsRemoved),
    packsCondemned: BigInt(state.packsCondemned),
    bytesCondemned: BigInt(state.bytesCondemned),
    packsDeleted: BigInt(state.packsDeleted),
    bytesDeleted: BigInt(state.bytesDeleted),
    packsWaiting: BigInt(state.packsWaiting),
    bytesWaiting: BigInt(state.bytesWaiting),
    packsRepackable: BigInt(state.packsRepackable),
    bytesToMove: BigInt(state.bytesToMove),
    bytesToFree: BigInt(state.bytesToFree),
    bytesUnused: BigInt(state.bytesUnused),
  }
}

export function fromRepackSession(session: plain.Session): wire.BeginRepackResponse {
  return { session: fromSession(session) }
}

export function fromRepackable(page: plain.Page<admin.RepackablePack>): wire.ListRepackableResponse {
  const packs = page.items.map(({ pack, records }) => ({
    packId: pack.packId,
    lengthBytes: BigInt(pack.lengthBytes),
    nodes: [...pack.nodes],
    records: records.map(({ chunkId, offset, length }) => ({ chunkId, offset, length })),
  }))
  return { packs, nextPageToken: page.nextPageToken }
}

export function toFinishRepack(request: wire.FinishRepackRequest): {
  session: plain.SessionRef
  packIds: PackId[]
} {
  return { session: toSessionRef(request.session), packIds: request.packIds.map(parsePackId) }
}

export function fromFinding(finding: CatalogueFinding): wire.CheckCatalogueResponse {
  if (finding.kind === 'problem') {
    const { problem, snapshotId } = finding
    return { part: { $case: 'problem', value: { problem, snapshotId } } }
  }
  const { phase, done, total } = finding
  return { part: { $case: 'progress', value: { phase, done: BigInt(done), total: BigInt(total) } } }
}

export function fromListedPacks({ items, nextPageToken }: plain.Page<ListedPack>): wire.ListPacksResponse {
  const packs = items.map((pack) => ({
    packId: pack.packId,
    vault: pack.vault,
    lengthBytes: BigInt(pack.lengthBytes),
    copiesWanted: pack.copiesWanted,
    copies: pack.copies.map(fromPackCopy),
    sample: pack.sample,
  }))
  return { packs, nextPageToken }
}

export const toPackIds = (ids: readonly string[]): PackId[] => ids.map(parsePackId)

export function fromLoss({ chunkIds, snapshots }: LossPart): wire.AssessLossResponse {
  return {
    chunkIds: [...chunkIds],
    snapshots: snapshots.map((snapshot) => ({ ...snapshot, fileVersion: BigInt(snapshot.fileVersion) })),
  }
}
