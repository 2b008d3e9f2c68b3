import type { HurtSnapshot, LossPart } from '../../core/check-messages.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { PackId, SnapshotId } from '../../core/ids.ts'
import { catalogueSliceRows, gcSnapshotsPerSlice, lookupIdsMax, lossPacksMax } from '../../core/limits.ts'
import type { CatalogueReader } from '../catalogue.ts'
import type { ManagerContext } from '../context.ts'
import { decodePackSet } from '../pack-set.ts'

/** What is lost with packs, a bounded part at a time. @throws TwofoldError `invalid-argument` */
export async function* assessLoss(context: ManagerContext, packIds: readonly PackId[]): AsyncGenerator<LossPart> {
  if (packIds.length > lossPacksMax) {
    throw new TwofoldError('invalid-argument', `at most ${lossPacksMax} packs at once, not ${packIds.length}`)
  }
  const packs: number[] = []
  for (const packId of packIds) {
    const { row, chunks } = await context.catalogue.read(async (tx) => {
      const found = await tx.packs.find(packId)
      return { row: found, chunks: found === undefined ? [] : await tx.chunks.ofPack(found.vault, found.id) }
    })
    if (row === undefined) continue
    packs.push(row.id)
    for (let start = 0; start < chunks.length; start += lookupIdsMax) {
      const slice = chunks.slice(start, start + lookupIdsMax)
      yield { chunkIds: slice.map(({ chunkId }) => chunkId), snapshots: [] }
    }
    await context.clock.yield()
  }
  yield* snapshotsThatNeed(context, await withOrigins(context, packs))
}

/** With the packs that chunks were moved from: snapshots of before name those. */
async function withOrigins({ catalogue, clock }: ManagerContext, packs: readonly number[]): Promise<Set<number>> {
  const wanted = new Set(packs)
  for (let before = -1; before !== wanted.size;) {
    before = wanted.size
    for (let after: number | undefined = 0; after !== undefined;) {
      const from: number = after
      const moves = await catalogue.read((tx) => tx.packs.moves(from, catalogueSliceRows))
      for (const move of moves) if (wanted.has(move.to)) wanted.add(move.from)
      after = moves.length < catalogueSliceRows ? undefined : moves.at(-1)?.number
      await clock.yield()
    }
  }
  return wanted
}

async function* snapshotsThatNeed(
  { catalogue, clock }: ManagerContext,
  packs: ReadonlySet<number>,
): AsyncGenerator<LossPart> {
  for (let after: number | undefined = 0; after !== undefined && packs.size > 0;) {
    const from: number = after
    const { last, hurt } = await catalogue.read(async (tx) => {
      const sets = await tx.snapshots.sets(from, gcSnapshotsPerSlice)
      const ids = sets.filter((row) => decodePackSet(row.packs).some((pack) => packs.has(pack)))
      const snapshots = await describe(
        tx,
        ids.map((row) => row.snapshotId),
      )
      return { last: sets.length < gcSnapshotsPerSlice ? undefined : sets.at(-1)?.commitSequence, hurt: snapshots }
    })
    // Manifests are small, but may be up to 1 MiB each.
    for (const snapshot of hurt) yield { chunkIds: [], snapshots: [snapshot] }
    after = last
    await clock.yield()
  }
}

async function describe(tx: CatalogueReader, ids: readonly SnapshotId[]): Promise<HurtSnapshot[]> {
  const hurt: HurtSnapshot[] = []
  for (const snapshotId of ids) {
    const row = await tx.snapshots.find(snapshotId)
    if (row === undefined) continue
    const { manifest, fileVersion, expiresAtMs } = row
    hurt.push({ snapshotId, manifest, fileVersion, forgotten: expiresAtMs !== 0 })
  }
  return hurt
}
