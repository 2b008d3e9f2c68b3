import type { CatalogueFinding } from '../../core/check-messages.ts'
import { describeError, isTwofoldError } from '../../core/errors.ts'
import { catalogueProblemsMax, catalogueSliceRows } from '../../core/limits.ts'
import { recoveryKind, requireSound, sameHash } from '../../format/log-chain.ts'
import type { LogRow } from '../catalogue-rows.ts'
import type { ManagerContext } from '../context.ts'
import { SnapshotWalk } from './snapshot-walk.ts'

/**
 * Goes through the catalogue in slices, between which others get their turn, and tells what is wrong in it. What it
 * names is true at the moment at which it is named; what is added meanwhile may be left out.
 */
export async function* checkCatalogue(context: ManagerContext, signal?: AbortSignal): AsyncGenerator<CatalogueFinding> {
  let problems = 0
  for (const findings of [checkLog(context), checkSnapshots(context)]) {
    for await (const finding of findings) {
      signal?.throwIfAborted()
      if (finding.kind === 'problem') problems += 1
      if (problems <= catalogueProblemsMax || finding.kind !== 'problem') yield finding
    }
  }
  const more = problems - catalogueProblemsMax
  if (more > 0) yield { kind: 'problem', problem: `${more} further problems are not named`, snapshotId: '' }
  yield { kind: 'progress', phase: 'done', done: 1, total: 1 }
}

async function* checkLog({ catalogue, clock }: ManagerContext): AsyncGenerator<CatalogueFinding> {
  let last: LogRow | undefined
  for (;;) {
    const { entries, newest } = await catalogue.read(async (tx) => ({
      entries: await tx.log.after(last?.sequence ?? 0, logSliceEntries),
      newest: await tx.log.newest(),
    }))
    for (const entry of entries) {
      const problem = problemOf(entry, last)
      if (problem !== undefined) yield { kind: 'problem', problem, snapshotId: '' }
      last = entry
    }
    yield { kind: 'progress', phase: 'log', done: last?.sequence ?? 0, total: newest?.sequence ?? 0 }
    if (entries.length < logSliceEntries) return
    await clock.yield()
  }
}

/** Entries are hashed, not only read: so many take about 10 ms. */
const logSliceEntries = catalogueSliceRows / 8

/** A recovery joins the ends of several logs: what is before it is told by its own content. */
function problemOf(entry: LogRow, last: LogRow | undefined): string | undefined {
  try {
    requireSound(entry)
  } catch (error) {
    if (!isTwofoldError(error, 'integrity')) throw error
    return describeError(error)
  }
  if (last === undefined || entry.kind === recoveryKind || sameHash(entry.previousHash, last.hash)) return undefined
  return `the log is broken: entry ${entry.sequence} does not follow entry ${last.sequence}`
}

async function* checkSnapshots({ catalogue, clock }: ManagerContext): AsyncGenerator<CatalogueFinding> {
  const walk = new SnapshotWalk()
  for (let more = true; more;) {
    const { found, total } = await catalogue.read(async (tx) => {
      const slice = await walk.slice(tx)
      return { found: slice, total: await tx.snapshots.newestSequence() }
    })
    for (const problem of found.problems) yield { kind: 'problem', problem, snapshotId: walk.snapshotId }
    if (found.atSnapshot) yield { kind: 'progress', phase: 'snapshots', done: walk.sequence, total }
    more = found.more
    await clock.yield()
  }
}
