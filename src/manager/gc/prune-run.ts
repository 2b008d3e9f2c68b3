import type { PruneOptions, PruneState } from '../../core/admin-messages.ts'
import type { LiveChunks } from './live-chunks.ts'
import { NeededPacks } from './needed-packs.ts'
import type { WeighedPack } from './repack-plan.ts'

/** One prune in progress, or only the deletion of what was condemned before. Nothing of it outlives the process. */
export interface PruneRun {
  readonly options: PruneOptions
  /** Whether it is only there to delete what is condemned. */
  readonly onlyDelete: boolean
  state: PruneState
  needed: NeededPacks
  /** Row of the pack that was looked at last. */
  cursor: number
  live: LiveChunks | undefined
  readonly weighed: WeighedPack[]
}

export const noPrune: PruneState = {
  run: 0,
  phase: 'done',
  problem: '',
  dryRun: false,
  done: 0,
  total: 0,
  snapshotsRemoved: 0,
  packsCondemned: 0,
  bytesCondemned: 0,
  packsDeleted: 0,
  bytesDeleted: 0,
  packsWaiting: 0,
  bytesWaiting: 0,
  packsRepackable: 0,
  bytesToMove: 0,
  bytesToFree: 0,
  bytesUnused: 0,
}

export function newRun(number: number, options: PruneOptions, onlyDelete = false): PruneRun {
  const state = { ...noPrune, run: number, phase: onlyDelete ? 'marking' : 'waiting', dryRun: options.dryRun } as const
  return { options, onlyDelete, state, needed: new NeededPacks(), cursor: 0, live: undefined, weighed: [] }
}
