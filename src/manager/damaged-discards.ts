import { copiesCount } from './membership.ts'
import type { PackId } from '../core/ids.ts'
import { repairLookMax } from '../core/limits.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { PackRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { parseFacts, recoverySetting } from './lineage-watch.ts'
import { mayDeleteCopies } from './may-delete.ts'
import { isCertain } from './node-standing.ts'
import type { Standings } from './node-standing.ts'
import { standingsOf } from './repair-plan.ts'
import { vaultOf } from './vaults.ts'

/**
 * Lets nodes delete damaged copies that nobody can need any more: their packs have as many good copies as the vault
 * wants, on nodes that are up and have told what they hold. Until then a damaged copy may be the last hope.
 */
export async function discardDamaged(context: ManagerContext): Promise<void> {
  const { damaged, members, orders } = context
  if (damaged.size === 0 || !mayDeleteCopies(context)) return
  const standings = members.standings()
  const waiting = damaged.all().filter(({ node, packId }) => {
    const state = standings.get(node)?.state ?? 'removed'
    const ordered = orders.has(node, (action) => action.kind === 'discard-damaged' && action.packId === packId)
    return copiesCount(state) && state !== 'suspect' && !ordered
  })
  const some = context.damaged.inTurn(waiting, repairLookMax)
  if (some.length === 0) return
  const needless = await context.catalogue.read(async (tx) => {
    const found = []
    for (const copy of some) {
      const pack = await tx.packs.find(copy.packId)
      const needless = pack === undefined ? await isForgotten(context, tx, copy) : await isNeedless(tx, pack, standings)
      if (needless) found.push(copy)
    }
    return found
  })
  for (const { node, packId, putSequence } of needless) {
    const incarnation = members.byRow(node)?.ref.incarnation
    if (incarnation !== undefined) orders.give(node, { kind: 'discard-damaged', packId, incarnation, putSequence })
  }
}

async function isNeedless(tx: CatalogueReader, pack: PackRow, standings: Standings): Promise<boolean> {
  if (pack.state === 'open') return false
  if (pack.state === 'deleted' || pack.state === 'abandoned') return true
  const [copies = []] = await tx.copies.of([pack.id])
  const holders = copies.map((copy) => copy.node)
  return standingsOf(holders, standings).filter(isCertain).length >= (await vaultOf(tx, pack.vault)).copies
}

/**
 * Of a pack that the catalogue does not know, everything is kept, until somebody prunes: a recovery that found all
 * snapshots whole needs none of it. As long as nodes have good packs that are unknown, or a snapshot is missing, it
 * stays.
 */
async function isForgotten(
  { damaged }: ManagerContext,
  tx: CatalogueReader,
  copy: { readonly node: number; readonly packId: PackId; readonly putSequence: number },
): Promise<boolean> {
  if (!damaged.wasPruned(copy)) return false
  const unknown = (await tx.unknownPacks.counts()).some(({ packs }) => packs > 0)
  return !unknown && parseFacts(await tx.settings.get(recoverySetting)).incomplete === 0
}
