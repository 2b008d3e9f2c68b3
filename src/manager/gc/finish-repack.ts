import { TwofoldError } from '../../core/errors.ts'
import type { PackId } from '../../core/ids.ts'
import { adminSnapshotsMax, catalogueSliceRows, gcSnapshotsPerSlice } from '../../core/limits.ts'
import type { SessionRef } from '../../core/messages.ts'
import type { CatalogueReader, CatalogueWriter } from '../catalogue.ts'
import type { PackRow } from '../catalogue-rows.ts'
import type { ManagerContext } from '../context.ts'
import { decodePackSet, encodePackSet } from '../pack-set.ts'
import { requireSession } from '../session-guard.ts'
import type { LiveChunks } from './live-chunks.ts'

/**
 * Takes packs out of all snapshots after everything that is needed of them lies elsewhere, puts the packs that it was
 * moved to in their place, and condemns them: one transaction. A pack stays when a snapshot that is newer than `live`
 * relies on it, or when something of it that may be needed was not moved. Whoever relied on one without having
 * committed yet is safe: it is only condemned, and comes back with that commit.
 * @returns those that were finished; when these were not all, asking for the others again may finish more
 */
export async function finishRepack(
  context: ManagerContext,
  live: LiveChunks,
  request: { readonly session: SessionRef; readonly packIds: readonly PackId[] },
): Promise<PackId[]> {
  if (request.packIds.length > adminSnapshotsMax) {
    throw new TwofoldError('invalid-argument', `at most ${adminSnapshotsMax} packs a call`)
  }
  const finished = await context.catalogue.write(async (tx) => {
    const session = await requireSession(context, tx, request.session)
    if (session.kind !== 'repack') throw new TwofoldError('invalid-argument', 'this session moves no chunks')
    const done: PackRow[] = []
    let looked = 0
    const relied = await packsOfNewer(tx, live)
    for (const packId of new Set(request.packIds)) {
      const pack = await tx.packs.find(packId)
      if (pack?.state !== 'committed' || pack.vault !== session.vault || relied.has(pack.id)) continue
      const moved = await isMoved(tx, live, pack)
      looked += moved.looked
      if (moved.all) done.push(pack)
      if (looked > 4 * catalogueSliceRows) break
    }
    if (done.length > 0) await replace(tx, done)
    return done
  })
  context.leases.renew(request.session.sessionId)
  if (finished.length > 0) context.durability.copiesChanged()
  return finished.map((pack) => pack.packId)
}

/** What snapshots and checkpoints need that were committed or saved after the walk. */
async function packsOfNewer(tx: CatalogueReader, { sequence, checkpoint }: LiveChunks): Promise<Set<number>> {
  const packs = new Set<number>()
  for (let after = checkpoint, more = true; more;) {
    const rows = await tx.checkpoints.sets(after, gcSnapshotsPerSlice)
    for (const row of rows) for (const pack of decodePackSet(row.packs)) packs.add(pack)
    after = rows.at(-1)?.number ?? after
    more = rows.length === gcSnapshotsPerSlice
  }
  for (let after = sequence, more = true; more;) {
    const rows = await tx.snapshots.sets(after, gcSnapshotsPerSlice)
    for (const row of rows) for (const pack of decodePackSet(row.packs)) packs.add(pack)
    after = rows.at(-1)?.commitSequence ?? after
    more = rows.length === gcSnapshotsPerSlice
  }
  return packs
}

async function isMoved(
  tx: CatalogueReader,
  live: LiveChunks,
  pack: PackRow,
): Promise<{ all: boolean; looked: number }> {
  const session = await tx.sessions.byId(pack.session)
  if (session?.state === 'open') return { all: false, looked: 0 }
  const left = await tx.chunks.ofPack(pack.vault, pack.id)
  return { all: !left.some((chunk) => live.mayBeNeeded(chunk.chunkId)), looked: left.length }
}

async function replace(tx: CatalogueWriter, done: readonly PackRow[]): Promise<void> {
  const successors = new Map<number, readonly number[]>()
  for (const { id } of done) successors.set(id, await tx.packs.movedTo(id))
  for (let after = 0, more = true; more;) {
    const rows = await tx.snapshots.sets(after, gcSnapshotsPerSlice)
    for (const row of rows) {
      const packs = decodePackSet(row.packs)
      if (!packs.some((pack) => successors.has(pack))) continue
      await tx.snapshots.setPacks(row.commitSequence, encodePackSet(resolve(packs, successors)))
    }
    after = rows.at(-1)?.commitSequence ?? after
    more = rows.length === gcSnapshotsPerSlice
  }
  await replaceInCheckpoints(tx, successors)
  for (const { id } of done) await tx.packs.passMovesOn(id)
  await tx.packs.condemn([...successors.keys()], await tx.sessions.newest())
}

async function replaceInCheckpoints(
  tx: CatalogueWriter,
  successors: ReadonlyMap<number, readonly number[]>,
): Promise<void> {
  for (let after = 0, more = true; more;) {
    const rows = await tx.checkpoints.sets(after, gcSnapshotsPerSlice)
    for (const { number, packs: set } of rows) {
      const packs = decodePackSet(set)
      if (!packs.some((pack) => successors.has(pack))) continue
      await tx.checkpoints.setPacks(number, encodePackSet(resolve(packs, successors)))
    }
    after = rows.at(-1)?.number ?? after
    more = rows.length === gcSnapshotsPerSlice
  }
}

/** The packs with each that has successors replaced by these, and by theirs where they have some themselves. */
function resolve(packs: readonly number[], successors: ReadonlyMap<number, readonly number[]>): Set<number> {
  const found = new Set<number>()
  const seen = new Set<number>()
  const open = [...packs]
  for (let pack = open.pop(); pack !== undefined; pack = open.pop()) {
    if (seen.has(pack)) continue
    seen.add(pack)
    const next = successors.get(pack)
    if (next === undefined) found.add(pack)
    else open.push(...next)
  }
  return found
}
