/** Between the messages of `admin.proto` and the plain data of `core`, in the directions that a client needs. */
import { parseChunkId, parsePackId } from '../core/ids.ts'
import type { PrunePhase, PruneState, RepackablePack } from '../core/admin-messages.ts'
import { toNodeRef } from '../core/node-ref.ts'
import type * as wire from '../gen/twofold/v1/admin.ts'
import { required, toNumber } from './convert.ts'

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
