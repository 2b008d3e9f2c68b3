import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import type { PackId } from '../../src/core/ids.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import { copyDigest, xorDigests } from '../../src/format/copy-digest.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import { isSafeVersion } from '../../src/manager/sqlite/migrate.ts'
import { migrations } from '../../src/manager/sqlite/schema.ts'
import { hex } from '../support/catalogue-rows.ts'
import { expectError } from '../support/expect-error.ts'
import { testRequests } from './catalogue-requests.contract.ts'
import { testCatalogue } from './catalogue.contract.ts'
import type { CatalogueDriver } from './catalogue.contract.ts'
import { testCheckpoints } from './checkpoints.contract.ts'
import { testCopyTables } from './copy-tables.contract.ts'
import { testSchedules } from './schedules.contract.ts'

const directories: string[] = []

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'twofold-catalogue-'))
  directories.push(directory)
  return join(directory, 'catalogue.db')
}

after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})

let path = ''
const drivers: Readonly<Record<string, CatalogueDriver>> = {
  'in memory': { open: async () => openSqliteCatalogue(':memory:') },
  'in a file': {
    async open() {
      path = newPath()
      return openSqliteCatalogue(path)
    },
    async reopen(catalogue) {
      await catalogue.close()
      return openSqliteCatalogue(path)
    },
  },
}
for (const [name, driver] of Object.entries(drivers)) {
  testCatalogue(name, driver)
  testCheckpoints(name, driver)
  testSchedules(name, driver)
}
testCopyTables('in memory', async () => openSqliteCatalogue(':memory:'))
describe('requests in a catalogue', () => testRequests(async () => openSqliteCatalogue(':memory:')))

function openError(at: string): TwofoldError {
  try {
    void openSqliteCatalogue(at).close()
  } catch (error) {
    if (error instanceof TwofoldError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('the SQLite catalogue', () => {
  it('survives a process that never closed it', async () => {
    const at = newPath()
    const first = openSqliteCatalogue(at)
    await first.write((tx) => tx.settings.set('a', Buffer.from('1')))
    const second = openSqliteCatalogue(at)
    expect(await second.read((tx) => tx.settings.get('a'))).to.have.length(1)
    await second.close()
    await first.close()
  })

  it('keeps a write-ahead log', async () => {
    const at = newPath()
    await openSqliteCatalogue(at).close()
    const database = new DatabaseSync(at)
    expect(database.prepare('PRAGMA journal_mode').get()).to.have.property('journal_mode', 'wal')
    database.close()
  })

  for (const where of ['in memory', 'in a file']) {
    it(`says no-room when it is full, keeps what it had, and goes on, ${where}`, async () => {
      const at = where === 'in memory' ? ':memory:' : newPath()
      const catalogue = openSqliteCatalogue(at, { pagesMax: 100 })
      await catalogue.write((tx) => tx.settings.set('kept', Buffer.from('1')))
      const large = (key: string): Promise<void> => catalogue.write((tx) => tx.settings.set(key, Buffer.alloc(1e6)))
      await expectError(large('a'), 'no-room')
      const group = [large('b'), catalogue.write((tx) => tx.settings.set('small', Buffer.from('2')))]
      const outcomes = await Promise.allSettled(group)
      expect(outcomes[0]?.status).to.equal('rejected')
      const found = await catalogue.read(async (tx) => {
        const values = []
        for (const key of ['kept', 'a', 'b', 'small']) values.push((await tx.settings.get(key)) !== undefined)
        return values
      })
      expect(found).to.deep.equal([true, false, false, outcomes[1]?.status === 'fulfilled'])
      expect(catalogue.healthy()).to.equal(true)
      await catalogue.write((tx) => tx.settings.set('later', Buffer.from('3')))
      await catalogue.close()
      expect(catalogue.healthy()).to.equal(false)
    })
  }

  it('says io when its file was damaged', async () => {
    const at = newPath()
    const first = openSqliteCatalogue(at)
    await first.write((tx) => tx.settings.set('a', Buffer.alloc(50_000)))
    await first.close()
    const whole = readFileSync(at)
    writeFileSync(at, Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(whole.length - 4096, 0xff)]))
    expect(openError(at).code).to.equal('io')
  })

  it('refuses a catalogue of a newer program, in words', async () => {
    const at = newPath()
    await openSqliteCatalogue(at).close()
    const database = new DatabaseSync(at)
    database.exec('INSERT INTO schema_version VALUES (99)')
    database.close()
    const error = openError(at)
    expect(error.code).to.equal('unsupported')
    expect(error.message).to.contain('newer version')
  })

  it('says io for what is no catalogue, and for what cannot be opened', () => {
    const at = newPath()
    writeFileSync(at, Buffer.alloc(100_000, 'no catalogue'))
    expect(openError(at).code).to.equal('io')
    expect(openError(join(at, 'below', 'a', 'file')).code).to.equal('io')
    expect(openError('/proc/version').code).to.equal('io')
  })

  it('compares versions by their numbers', () => {
    expect(['3.51.3', '3.51.10', '3.53.0', '4.0.0'].map(isSafeVersion)).to.deep.equal([true, true, true, true])
    expect(['3.51.2', '3.50.99', '2.99.99', '3.51'].map(isSafeVersion)).to.deep.equal([false, false, false, false])
  })

  it('computes the digests of the copies that a catalogue of an older program has', async () => {
    const at = newPath()
    const digests = migrations.findIndex((migration) => migration.includes('CREATE TABLE node_inventories'))
    const old = new DatabaseSync(at, { enableForeignKeyConstraints: false })
    old.exec('CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT')
    for (const [index, migration] of migrations.slice(0, digests).entries()) {
      old.exec(migration)
      old.exec(`INSERT INTO schema_version VALUES (${index + 1})`)
    }
    old.exec(`INSERT INTO nodes VALUES (1, '1', '2', 'n1', '', '', '', 1, 1, 0, x'', 0, 'active', '')`)
    old.exec(`INSERT INTO packs (id, pack_id, vault, session, request_id, length_bytes)
      VALUES (1, x'${hex(1)}', 1, 1, 'a', 1), (2, x'${hex(2)}', 1, 1, 'b', 1)`)
    old.exec('INSERT INTO copies VALUES (1, 1, 7, 0), (2, 1, 8, 0)')
    old.close()
    const catalogue = openSqliteCatalogue(at)
    const { copiesDigest } = await catalogue.read((tx) => tx.nodes.inventory(1))
    await catalogue.close()
    const expected = xorDigests(copyDigest(hex(1) as PackId, 7), copyDigest(hex(2) as PackId, 8))
    expect(Buffer.from(copiesDigest)).to.deep.equal(Buffer.from(expected))
  })
})
