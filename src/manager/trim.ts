import { trimBatchMax } from '../core/limits.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { ManagerContext } from './context.ts'
import { orderDrop } from './drop-orders.ts'
import { mayDeleteCopies } from './may-delete.ts'
import { notedWrite } from './noted-write.ts'
import { lookAtPack } from './repair-look.ts'
import type { PackLook } from './repair-look.ts'
import { chooseSurplus } from './repair-plan.ts'

/** Gives up copies that are too many, one of each pack. Those that may not go now wait in the queue. */
export async function trimCopies(context: ManagerContext, looks: readonly PackLook[]): Promise<void> {
  for (let start = 0; start < looks.length; start += trimBatchMax) {
    const batch = looks.slice(start, start + trimBatchMax)
    const gone = await notedWrite(context, async (tx) => {
      const trimmed = []
      for (const { pack } of batch) if (await trim(context, tx, pack.id)) trimmed.push(pack.id)
      return trimmed
    })
    for (const { pack } of batch) {
      context.repair.queue.add('surplus', { pack: pack.id, lengthBytes: pack.lengthBytes })
    }
    if (gone.length > 0) context.durability.copiesChanged()
  }
}

/**
 * Forgets a copy and orders it away in one transaction: from then on nobody counts it, whenever the node gets to it.
 * The order names exactly this put. @returns whether a copy went
 */
async function trim(context: ManagerContext, tx: CatalogueWriter, id: number): Promise<boolean> {
  if (!mayDeleteCopies(context) || context.repair.copying(id)) return false
  const look = await lookAtPack(tx, id)
  if (look === undefined) return false
  const victim = chooseSurplus(look.holders, look.vault.copies, context.members.standings())
  const copy = look.copies.find(({ node }) => node === victim)
  const row = victim === undefined ? undefined : context.members.byRow(victim)
  if (copy === undefined || row === undefined) return false
  await tx.copies.remove(id, copy)
  await orderDrop(context, tx, {
    node: row.id,
    incarnation: row.ref.incarnation,
    packId: look.pack.packId,
    putSequenceMax: copy.putSequence,
    generationMax: look.pack.generation,
  })
  return true
}
