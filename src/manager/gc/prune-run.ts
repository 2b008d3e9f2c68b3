import type { PruneOptions, PruneState } from '../../core/admin-messages.ts'
import type { LiveChunks } from './live-chunks.ts'
import { NeededPacks } from './needed-packs.ts'
import { newWeighed } from './repack-plan.ts'
import type { Weighed } from './repack-plan.ts'

/** One prune in progress, or only the deletion of what was condemned before. Nothing of it outlives the process. */
export interface PruneRun {
  readonly options: PruneOptions
  /** Whether it is only there to delete what is condemned. */
  readonly onlyDelete: boolean
  state: PruneState
  /** Which snapshots count; not all when the question is what would be. */
  countsAs: (row: { expiresAtMs: number }) => boolean
  needed: NeededPacks
  /** Row of the pack that was looked at last. */
  cursor: number
  live: LiveChunks | undefined
  readonly weighed: Weighed
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
  const begin = { cursor: 0, live: undefined, weighed: newWeighed(), countsAs: () => true }
  return { options, onlyDelete, state, needed: new NeededPacks(), ...begin }
}
