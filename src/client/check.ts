import type { Clock } from '../core/clock.ts'
import type { PackId } from '../core/ids.ts'
import type { CallOptions } from '../core/model.ts'
import { findHurt } from './check-loss.ts'
import type { LossDeps } from './check-loss.ts'
import { PackCheck } from './check-packs.ts'
import type { CheckPacksDeps } from './check-packs.ts'
import type { CheckEvent, CheckRequest, CheckSummary } from './check-request.ts'

export type CheckDeps = Omit<CheckPacksDeps, 'reports'> & LossDeps & { readonly clock: Clock }

export interface CheckOptions extends CallOptions {
  readonly onEvent?: ((event: CheckEvent) => void) | undefined
}

/**
 * Checks the cluster: the catalogue in itself; that every pack has its copies; and, where it is asked for, every byte
 * of these copies. A bad copy is put aside by its node and replaced. For what has no good copy left it finds the files
 * of all snapshots that are hurt by it. Findings are events; whatever is found, it goes on.
 * @throws TwofoldError `unavailable` when the manager is lost
 */
export async function runCheck(deps: CheckDeps, request: CheckRequest, options: CheckOptions): Promise<CheckSummary> {
  const { signal, onEvent = () => undefined } = options
  const startedMs = deps.clock.monotonicMs()
  let catalogueProblems = 0
  for await (const finding of deps.admin.checkCatalogue({ signal })) {
    if (finding.kind === 'problem') {
      catalogueProblems += 1
      onEvent({ type: 'catalogue', problem: finding.problem, snapshotId: finding.snapshotId })
    } else onEvent({ ...finding, type: 'progress' })
  }
  const check = new PackCheck({ ...deps, reports: deps.loader.badCopies }, request.readData)
  const lost: PackId[] = []
  for await (const packId of check.run(onEvent, { signal })) lost.push(packId)
  const hurt = new Set<string>()
  let pathsHurt = 0
  for await (const path of findHurt(deps, lost, { signal })) {
    pathsHurt += 1
    hurt.add(path.snapshotId)
    onEvent({ type: 'hurt', ...path })
    onEvent({ type: 'progress', phase: 'hurt', done: pathsHurt, total: 0 })
  }
  await deps.loader.badCopies.settle()
  const durationMs = deps.clock.monotonicMs() - startedMs
  return { ...check.totals, catalogueProblems, snapshotsHurt: [...hurt], pathsHurt, durationMs }
}
