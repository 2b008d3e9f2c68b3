import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLogger } from '../../src/core/logger.ts'
import { blake3 } from '../../src/format/hash.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import { backUpCatalogue, restoreCatalogue } from '../../src/manager/main.ts'
import { Manager } from '../../src/manager/manager.ts'
import { catalogueCopier } from '../../src/manager/sqlite/catalogue-copier.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { expectError } from '../support/expect-error.ts'

describe('copies of a catalogue in files', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'twofold-copies-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  async function found(): Promise<{ clusterId: string; close: () => Promise<void> }> {
    const catalogue = openSqliteCatalogue(join(directory, 'catalogue.db'))
    const deps = { catalogue, clock: systemClock, random: systemRandom, logger: silentLogger }
    return { clusterId: (await Manager.open(deps)).clusterId, close: () => catalogue.close() }
  }

  it('for nodes are whole, have no key, and can be put back', async () => {
    const { clusterId, close } = await found()
    const copy = await catalogueCopier(directory, 'catalogue.db').make()
    const pieces: Uint8Array[] = []
    for await (const piece of copy.read()) pieces.push(Uint8Array.from(piece))
    const bytes = Buffer.concat(pieces)
    expect([bytes.length, Buffer.from(blake3(bytes))]).to.deep.equal([copy.lengthBytes, Buffer.from(copy.hash)])
    await close()
    const file = join(directory, 'kept.db.zst')
    writeFileSync(file, bytes)
    expect(await restoreCatalogue(directory, file)).to.equal('catalogue-kept-1.db')
    const catalogue = openSqliteCatalogue(join(directory, 'catalogue.db'))
    expect(await catalogue.read((tx) => tx.settings.get('signing-seed'))).to.equal(undefined)
    await catalogue.close()
    const again = await found()
    expect(again.clusterId).to.equal(clusterId)
    await again.close()
    expect(readdirSync(directory).filter((name) => name.startsWith('copying'))).to.deep.equal([])
  })

  it('on request are made while it is in use, and never over something else', async () => {
    const { close } = await found()
    const target = join(directory, 'copy.db')
    await backUpCatalogue(directory, target)
    await expectError(backUpCatalogue(directory, target), 'already-exists')
    await close()
    expect(await restoreCatalogue(directory, target)).to.equal('catalogue-kept-1.db')
  })

  it('that are none are refused, and nothing changes', async () => {
    const { close } = await found()
    await close()
    const before = readFileSync(join(directory, 'catalogue.db'))
    const file = join(directory, 'other')
    writeFileSync(file, 'not a catalogue')
    await expectError(restoreCatalogue(directory, file), 'io')
    await expectError(restoreCatalogue(directory, join(directory, 'missing')), 'not-found')
    expect(readFileSync(join(directory, 'catalogue.db')).equals(before)).to.equal(true)
  })
})
