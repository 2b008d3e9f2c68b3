import type { CatalogueReader } from './catalogue.ts'
import type { PackRow, VaultRow } from './catalogue-rows.ts'
import type { CopyRow } from './catalogue-rows.ts'
import { vaultOf } from './vaults.ts'

/** What the catalogue says of a pack at the moment that something is to be done about it. */
export interface PackLook {
  readonly pack: PackRow
  readonly vault: VaultRow
  readonly copies: readonly CopyRow[]
  /** Rows of the nodes with a copy. */
  readonly holders: readonly number[]
  /** Rows of the nodes that were ordered to drop the pack: nothing may be sent there until they have. */
  readonly dropping: readonly number[]
}

/** @returns undefined for packs that are not committed, which nobody repairs. */
export async function lookAtPack(tx: CatalogueReader, id: number): Promise<PackLook | undefined> {
  const [pack] = await tx.packs.byIds([id])
  if (pack?.state !== 'committed') return undefined
  const [copies = []] = await tx.copies.of([id])
  const orders = await tx.orders.ofPack(pack.packId)
  return {
    pack,
    vault: await vaultOf(tx, pack.vault),
    copies,
    holders: copies.map((copy) => copy.node),
    dropping: orders.map((order) => order.node),
  }
}

/** Whether the same nodes hold the same puts. */
export function isSameLook(one: PackLook, other: PackLook): boolean {
  const key = ({ copies, dropping }: PackLook): string => {
    const held = copies.map((copy) => `${copy.node}:${copy.putSequence}`)
    return `${held.join(' ')}|${dropping.join(' ')}`
  }
  return key(one) === key(other)
}
