import { gcPacksPerDelete } from '../../core/limits.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { NodeRow, PackRow } from '../catalogue-rows.ts'
import { appendToLog } from '../commit-log.ts'
import type { ManagerContext } from '../context.ts'
import { orderDrop } from '../drop-orders.ts'
import type { NeededPacks } from './needed-packs.ts'

export interface Deleted {
  readonly packs: number
  readonly bytes: number
  /** Whether there may be more to delete now. */
  readonly more: boolean
}

/**
 * Deletes some condemned packs: those of which every session has ended that had begun when they were condemned, so that
 * nobody can still rely on an answer from before. What is needed after all is committed again instead. All of it is one
 * transaction; the nodes learn of it by orders that name the put, so that a newer one survives, and that are given once
 * enough nodes know the entry of the log.
 * @returns undefined when too much changed since `needed` was read: read on, and try again
 */
export async function deletePacks(context: ManagerContext, needed: NeededPacks): Promise<Deleted | undefined> {
  return context.catalogue.write(async (tx) => {
    const before = (await tx.sessions.oldestOpen()) ?? Number.MAX_SAFE_INTEGER
    const rows = await tx.packs.condemned(before, gcPacksPerDelete)
    const ids = rows.map((row) => row.id)
    const wanted = await needed.among(tx, ids)
    if (wanted === undefined) return undefined
    await tx.packs.revive([...wanted])
    const doomed = rows.filter((row) => !wanted.has(row.id))
    const nodes = new Map((await tx.nodes.all()).map((node) => [node.id, node]))
    if (doomed.length > 0) {
      const entry = await appendToLog(tx, 'packs-deleted', { packIds: doomed.map((row) => row.packId) })
      for (const row of doomed) await deletePack(context, tx, row, { nodes, logSequence: entry.sequence })
    }
    const bytes = doomed.reduce((sum, row) => sum + row.lengthBytes, 0)
    return { packs: doomed.length, bytes, more: rows.length === gcPacksPerDelete }
  })
}

async function deletePack(
  context: ManagerContext,
  tx: CatalogueWriter,
  pack: PackRow,
  { nodes, logSequence }: { readonly nodes: ReadonlyMap<number, NodeRow>; readonly logSequence: number },
): Promise<void> {
  const [copies = []] = await tx.copies.of([pack.id])
  for (const copy of copies) {
    const node = nodes.get(copy.node)
    if (node === undefined || node.admin === 'removed') continue
    await orderDrop(context, tx, {
      node: node.id,
      incarnation: node.ref.incarnation,
      packId: pack.packId,
      putSequenceMax: copy.putSequence,
      generationMax: pack.generation,
      logSequence,
    })
  }
  const chunks = await tx.chunks.removePack(pack.vault, pack.id)
  await tx.copies.dropPack(pack.id)
  await tx.packs.bury(pack.id)
  await tx.vaults.count(pack.vault, { chunks: -chunks, packs: -1, storedBytes: -pack.lengthBytes })
}
