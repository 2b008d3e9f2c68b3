import { pageSizeMax } from '../core/limits.ts'
import type { SnapshotRow, VaultRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'

export interface KeptSnapshot {
  readonly row: SnapshotRow
  readonly vault: VaultRow
}

/** All snapshots that are not in the trash, the oldest of each vault first. In pages: so of no one moment. */
export async function* keptSnapshots(context: ManagerContext): AsyncGenerator<KeptSnapshot> {
  for (const vault of await context.catalogue.read((tx) => tx.vaults.all())) {
    for (let from: number | undefined = 0; from !== undefined;) {
      const start: number = from
      const query = { vault: vault.id, host: '', from: start, order: 'oldest-first', limit: pageSizeMax } as const
      const rows = await context.catalogue.read((tx) => tx.snapshots.page(query))
      for (const row of rows) yield { row, vault }
      from = rows.length < pageSizeMax ? undefined : rows.at(-1)?.commitSequence
    }
  }
}
