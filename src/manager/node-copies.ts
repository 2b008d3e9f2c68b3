import { inventorySliceRows } from '../core/limits.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { NodeStanding, Standings } from './node-standing.ts'
import { standingsOf } from './repair-plan.ts'
import { copiesWanted } from './vaults.ts'

/** A node's copy of a committed pack. */
export interface HeldCopy {
  readonly pack: number
  readonly lengthBytes: number
  /** How many copies its vault wants. */
  readonly wanted: number
  /** Who else has one. */
  readonly others: readonly NodeStanding[]
}

/** A slice of what a node has of committed packs; `next` is what to go on after, undefined at the end. */
export async function heldCopies(
  tx: CatalogueReader,
  node: number,
  { after, standings }: { readonly after: number; readonly standings: Standings },
): Promise<{ readonly held: readonly HeldCopy[]; readonly next: number | undefined }> {
  const wanted = await copiesWanted(tx)
  const rows = await tx.copies.ofNode(node, { after, limit: inventorySliceRows })
  const copies = await tx.copies.of(rows.map((row) => row.pack))
  const held = rows.flatMap(({ pack, lengthBytes, state, vault }, index) => {
    if (state !== 'committed') return []
    const others = (copies[index] ?? []).map((copy) => copy.node).filter((other) => other !== node)
    return [{ pack, lengthBytes, wanted: wanted.get(vault) ?? 0, others: standingsOf(others, standings) }]
  })
  return { held, next: rows.length < inventorySliceRows ? undefined : rows.at(-1)?.pack }
}
