import { TwofoldError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { PackId } from '../core/ids.ts'
import { prunePollMs } from '../core/limits.ts'
import type { PruneOptions, PruneState } from '../core/admin-messages.ts'
import type { CallOptions } from '../core/model.ts'
import { persistently } from '../core/persistently.ts'
import { repack } from './repack.ts'
import type { Moved, RepackDeps } from './repack.ts'

export interface PruneRequest {
  readonly vault?: string | undefined
  /** Only finds out what would go. */
  readonly dryRun?: boolean | undefined
  /** Leaves packs alone that are needed in part. */
  readonly noRepack?: boolean | undefined
  /** In thousandths of all bytes. */
  readonly unusedPermilleMax?: number | undefined
}

export type PruneEvent =
  | { readonly type: 'prune'; readonly state: PruneState }
  | { readonly type: 'moved'; readonly state: PruneState; readonly moved: Moved }
  | { readonly type: 'problem'; readonly packId: PackId; readonly message: string }

export interface PruneRunOptions extends CallOptions {
  readonly onEvent?: ((event: PruneEvent) => void) | undefined
}

export interface PruneSummary {
  /** The first run: what nobody needed, and what was worth moving. */
  readonly found: PruneState
  /** Undefined when nothing was moved. */
  readonly moved: Moved | undefined
  /** What was left to wait for running backups in the end; the manager deletes it by itself when they are over. */
  readonly last: PruneState
}

/**
 * Gives back the space of what no snapshot needs: the manager condemns and deletes packs, and this process moves what
 * is still needed of half-empty ones. It may be interrupted at any point, and run again.
 * @throws TwofoldError `failed-precondition` when the manager's part failed
 */
export async function runPrune(
  deps: RepackDeps,
  request: PruneRequest,
  options: PruneRunOptions,
): Promise<PruneSummary> {
  const { dryRun = false, noRepack = false, vault = '', unusedPermilleMax } = request
  const { signal, onEvent = () => undefined } = options
  const found = await follow(deps, { dryRun, findRepackable: !noRepack, unusedPermilleMax }, options)
  if (dryRun || found.packsRepackable === 0) return { found, moved: undefined, last: found }
  const onProblem = (packId: PackId, message: string): void => onEvent({ type: 'problem', packId, message })
  const onMoved = (moved: Moved): void => onEvent({ type: 'moved', state: found, moved })
  const moved = await repack(deps, { vault, signal, onMoved, onProblem })
  const last = await follow(deps, { dryRun, findRepackable: false, unusedPermilleMax }, options)
  return { found, moved, last }
}

/** Starts a prune, or joins one that is running, and waits for its end. */
async function follow(deps: RepackDeps, request: PruneOptions, options: PruneRunOptions): Promise<PruneState> {
  const { admin, clock, random } = deps
  const { signal, onEvent } = options
  const patience = { clock, random, signal }
  const start = (): Promise<PruneState> => {
    const decision = { ...request, requestId: randomHexId<string>(random) }
    return persistently(() => admin.prune(decision, { signal }), patience)
  }
  let state = await start()
  for (let { run } = state; ; run = state.run) {
    onEvent?.({ type: 'prune', state })
    if (state.phase === 'done') return state
    if (state.phase === 'failed') throw new TwofoldError('failed-precondition', `the prune failed: ${state.problem}`)
    await clock.sleep(prunePollMs, signal)
    state = await persistently(() => admin.getPrune({ signal }), patience)
    // The manager was restarted, and knows of no prune: what it did stays done, and the rest is begun again.
    if (state.run < run) state = await start()
  }
}
