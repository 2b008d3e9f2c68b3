import type { SettingWriter, VaultWriter } from '../catalogue.ts'
import type { VaultRow } from '../catalogue-rows.ts'
import type { Statements } from './statements.ts'

export function settingTable(db: Statements): SettingWriter {
  return {
    async get(key) {
      return db.get<{ value: Uint8Array }>('SELECT value FROM settings WHERE key = ?', key)?.value
    },
    async set(key, value) {
      db.run('INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', key, value)
    },
  }
}

const columns = `SELECT id, name, vault_id AS vaultId, copies, min_copies AS minCopies, chunks, packs,
  stored_bytes AS storedBytes FROM vaults`

export function vaultTable(db: Statements): VaultWriter {
  return {
    byName: async (name) => db.get<VaultRow>(`${columns} WHERE name = ?`, name),
    byId: async (id) => db.get<VaultRow>(`${columns} WHERE id = ?`, id),
    all: async () => db.all<VaultRow>(`${columns} ORDER BY name`),
    async add(vault) {
      db.run(
        'INSERT INTO vaults (name, vault_id, copies, min_copies) VALUES (?, ?, ?, ?)',
        vault.name,
        vault.vaultId,
        vault.copies,
        vault.minCopies,
      )
    },
    async count(id, more) {
      db.run(
        'UPDATE vaults SET chunks = chunks + ?, packs = packs + ?, stored_bytes = stored_bytes + ? WHERE id = ?',
        more.chunks,
        more.packs,
        more.storedBytes,
        id,
      )
    },
  }
}
