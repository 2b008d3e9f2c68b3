import { TwofoldError, invariant } from '../core/errors.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { VaultRow } from './catalogue-rows.ts'
import { defaultVault } from './identity.ts'

/** The vault of that name; empty means `default`. @throws TwofoldError `not-found` */
export async function findVault(tx: CatalogueReader, name: string): Promise<VaultRow> {
  const vault = await tx.vaults.byName(name === '' ? defaultVault : name)
  if (vault === undefined) throw new TwofoldError('not-found', `there is no vault "${name.slice(0, 80)}"`)
  return vault
}

/** How many copies each vault wants, by its row. */
export async function copiesWanted(tx: CatalogueReader): Promise<ReadonlyMap<number, number>> {
  return new Map((await tx.vaults.all()).map((vault) => [vault.id, vault.copies]))
}

export async function vaultOf(tx: CatalogueReader, id: number): Promise<VaultRow> {
  const vault = await tx.vaults.byId(id)
  invariant(vault !== undefined, 'a vault that rows refer to is there')
  return vault
}
