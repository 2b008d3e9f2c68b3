/**
 * Fills a catalogue up to a number of chunks, fast and without durability: what is measured is the filled one. The
 * chunks come in the order of their packs, so in random order of their ids, as in production.
 *
 * Usage: node catalogue-fill.ts CATALOGUE CHUNKS SNAPSHOTS
 */
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { PackId, SnapshotId } from '../../src/core/ids.ts'
import { packBytesTarget } from '../../src/core/limits.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { CatalogueWriter } from '../../src/manager/catalogue.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import { Manager } from '../../src/manager/manager.ts'
import { encodePackSet } from '../../src/manager/pack-set.ts'
import { chunkTables } from '../../src/manager/sqlite/chunk-tables.ts'
import { KnownChunks } from '../../src/manager/sqlite/known-chunks.ts'
import { copyTable } from '../../src/manager/sqlite/copy-table.ts'
import { packTable } from '../../src/manager/sqlite/pack-tables.ts'
import { sessionTable } from '../../src/manager/sqlite/session-table.ts'
import { vaultTable } from '../../src/manager/sqlite/setting-tables.ts'
import { snapshotTable } from '../../src/manager/sqlite/snapshot-tables.ts'
import { Statements } from '../../src/manager/sqlite/statements.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { chunksPerPack, chunkIdOf, entriesOfPack } from './numbered-chunks.ts'
import { PaperNode } from './paper-node.ts'

const packsPerTransaction = 2000
/** Packs that one snapshot needs: as many as there are, up to this. */
const packsPerSnapshot = 10_000
const manifestBytes = 600

type Tables = Pick<CatalogueWriter, 'vaults' | 'packs' | 'copies' | 'chunks' | 'snapshots'>

interface Owner {
  readonly vault: number
  readonly session: number
  /** Rows of the nodes. */
  readonly nodes: readonly number[]
}

/** A cluster with three nodes and a session whose packs will be entered. */
async function found(path: string): Promise<void> {
  const catalogue = openSqliteCatalogue(path)
  const manager = await Manager.open({ catalogue, clock: systemClock, random: systemRandom, logger: silentLogger })
  for (let n = 1; n <= 3; n++) await manager.register(new PaperNode(n, 'first').registration())
  const begin = { clientId: 'fill', requestId: 'fill', vault: '', host: 'host', user: '', paths: [Buffer.from('/a')] }
  const session = await manager.beginBackup({ ...begin, fileName: '', parent: '', noParent: true })
  await manager.endSession(session, 'it only owns packs')
  await catalogue.close()
}

async function addPack(tables: Tables, owner: Owner, n: number): Promise<void> {
  const { vault, session, nodes } = owner
  const packId = hash('sha256', `pack ${n}`).slice(0, 32) as PackId
  const row = await tables.packs.add({ packId, vault, session, requestId: `${n}`, lengthBytes: packBytesTarget })
  await tables.packs.settle(row, { state: 'committed', lengthBytes: packBytesTarget })
  for (const at of [n, n + 1]) {
    await tables.copies.add(row, { node: nodes[at % nodes.length] ?? 0, putSequence: n + 1, provenAtMs: 1 })
  }
  await tables.chunks.put(vault, row, entriesOfPack(n))
  await tables.vaults.count(vault, { chunks: chunksPerPack, packs: 1, storedBytes: packBytesTarget })
}

async function addSnapshot(tables: Tables, vault: number, n: number, packs: number): Promise<void> {
  const needed = Math.min(packs, packsPerSnapshot)
  const last = Math.max(needed, Math.floor((packs * (n % 1000)) / 1000))
  await tables.snapshots.add({
    snapshotId: hash('sha256', `snapshot ${n}`) as SnapshotId,
    vault,
    tree: chunkIdOf((last - 1) * chunksPerPack),
    manifest: Buffer.alloc(manifestBytes, n & 255),
    committedAtMs: n,
    fileName: '',
    fileVersion: 0,
    host: `host${n % 10}`,
    pathsKey: Buffer.from('/a'),
    packs: encodePackSet(Array.from({ length: needed }, (_, at) => last - at)),
  })
}

function count(database: DatabaseSync, table: string): number {
  return (database.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count
}

async function fill(path: string, chunks: number, snapshots: number): Promise<void> {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF')
  database.exec('PRAGMA cache_size = -4000000; PRAGMA foreign_keys = OFF')
  const db = new Statements(database)
  const tables: Tables = {
    vaults: vaultTable(db),
    packs: packTable(db),
    copies: copyTable(db),
    chunks: chunkTables(db, new KnownChunks(db)),
    snapshots: snapshotTable(db),
  }
  const vault = (await tables.vaults.byName('default'))?.id ?? 0
  const session = (await sessionTable(db).byRequest('fill', 'fill'))?.id ?? 0
  const nodes = db.all<{ id: number }>('SELECT id FROM nodes ORDER BY id').map(({ id }) => id)
  const packs = Math.floor(chunks / chunksPerPack)
  for (let n = count(database, 'packs'); n < packs;) {
    const end = Math.min(packs, n + packsPerTransaction)
    database.exec('BEGIN')
    for (; n < end; n++) await addPack(tables, { vault, session, nodes }, n)
    database.exec('COMMIT')
  }
  for (let n = count(database, 'snapshots'); n < snapshots; n++) await addSnapshot(tables, vault, n, packs)
  database.exec('PRAGMA journal_mode = DELETE')
  database.close()
}

const [path = '', chunks = '', snapshots = ''] = process.argv.slice(2)
if (!existsSync(path)) await found(path)
await fill(path, Number(chunks), Number(snapshots))
