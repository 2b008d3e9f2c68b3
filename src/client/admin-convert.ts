/** Between the messages of `admin.proto` and the plain data of `core`, in the directions that a client needs. */
import type { CatalogueFinding, CheckPhase, ListedPack, LossPart } from '../core/check-messages.ts'
import { parseChunkId, parsePackId, parseSnapshotId } from '../core/ids.ts'
import type { PrunePhase, PruneState, Recorded, RepackablePack } from '../core/admin-messages.ts'
import { toNodeRef } from '../core/node-ref.ts'
import type * as wire from '../gen/twofold/v1/admin.ts'
import { required, toNumber, toPackCopy } from './convert.ts'

const phases: readonly PrunePhase[] = [
  'waiting',
  'trash',
  'marking',
  'condemning',
  'deleting',
  'walking',
  'weighing',
  'done',
  'failed',
]

/** Earlier managers say nothing. */
export function toRecorded({ recordedBy, recordedWanted }: wire.UndeleteSnapshotsResponse): Recorded {
  return { recordedBy, wanted: recordedWanted }
}

export function toPruneState(reply: wire.PruneState | undefined): PruneState {
  const state = required(reply, 'state')
  const { run, problem, dryRun } = state
  return {
    ...{ run, problem, dryRun },
    phase: required(
      phases.find((phase) => phase === state.phase),
      'phase',
    ),
    done: toNumber(state.done),
    total: toNumber(state.total),
    snapshotsRemoved: toNumber(state.snapshotsRemoved),
    packsCondemned: toNumber(state.packsCondemned),
    bytesCondemned: toNumber(state.bytesCondemned),
    packsDeleted: toNumber(state.packsDeleted),
    bytesDeleted: toNumber(state.bytesDeleted),
    packsWaiting: toNumber(state.packsWaiting),
    bytesWaiting: toNumber(state.bytesWaiting),
    packsRepackable: toNumber(state.packsRepackable),
    bytesToMove: toNumber(state.bytesToMove),
    bytesToFree: toNumber(state.bytesToFree),
    bytesUnused: toNumber(state.bytesUnused),
  }
}

export function toRepackable(pack: wire.RepackablePack): RepackablePack {
  const records = pack.records.map(({ chunkId, offset, length }) => ({
    chunkId: parseChunkId(chunkId),
    offset,
    length,
  }))
  const packId = parsePackId(pack.packId)
  return { pack: { packId, lengthBytes: toNumber(pack.lengthBytes), nodes: pack.nodes.map(toNodeRef) }, records }
}

const checkPhases: readonly CheckPhase[] = ['log', 'snapshots', 'done']

export function toFinding({ part }: wire.CheckCatalogueResponse): CatalogueFinding {
  const value = required(part, 'part')
  if (value.$case === 'problem') return { kind: 'problem', ...value.value }
  const { phase, done, total } = value.value
  const known = required(
    checkPhases.find((each) => each === phase),
    'phase',
  )
  return { kind: 'progress', phase: known, done: toNumber(done), total: toNumber(total) }
}

export function toListedPack(pack: wire.ListedPack): ListedPack {
  const { vault, copiesWanted, sample } = pack
  return {
    packId: parsePackId(pack.packId),
    lengthBytes: toNumber(pack.lengthBytes),
    ...{ vault, copiesWanted },
    copies: pack.copies.map(toPackCopy),
    sample: sample === undefined ? undefined : { ...sample, chunkId: parseChunkId(sample.chunkId) },
  }
}

export function toLoss({ chunkIds, snapshots }: wire.AssessLossResponse): LossPart {
  return {
    chunkIds: chunkIds.map(parseChunkId),
    snapshots: snapshots.map(({ snapshotId, manifest, fileVersion, forgotten }) => {
      return { snapshotId: parseSnapshotId(snapshotId), manifest, fileVersion: toNumber(fileVersion), forgotten }
    }),
  }
}
