import { expect } from 'chai'
import type { PackId } from '../../../src/core/ids.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { RecordsPart } from '../../../src/core/messages.ts'
import { NodeLog } from '../../../src/node/node-log.ts'
import type { FilePackStore } from '../../../src/node/pack-store-files.ts'
import { allRecords } from '../../../src/node/records-report.ts'
import { WritesInProgress } from '../../../src/node/writes-in-progress.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { packOf, sampleManifest, sampleRecords } from '../format/sample-pack.ts'
import { hex, memoryDisk, openStore } from './node-fixture.ts'
import type { MemoryDisk } from './node-fixture.ts'

describe('what a node reports to a recovery', () => {
  let disk: MemoryDisk
  let store: FilePackStore
  let log: NodeLog
  const writes = new WritesInProgress()
  const good = hex<PackId>('a')
  const rotten = hex<PackId>('b')

  beforeEach(async () => {
    disk = memoryDisk()
    store = await openStore(disk.disk)
    log = await NodeLog.open({ disk: disk.disk, logger: silentLogger })
  })

  const report = (): Promise<RecordsPart[]> =>
    Array.fromAsync(allRecords({ store, log, clock: new AutoClock(), writes }))

  async function put(packId: PackId, bytes: Uint8Array): Promise<void> {
    const draft = await store.begin(packId, 1, bytes.length)
    await draft.append(bytes)
    await draft.seal()
  }

  it('has the references of trees and the manifests of snapshots, and what is needed to find data', async () => {
    await put(good, packOf(await sampleRecords()))
    const [part] = await report()
    if (part?.kind !== 'pack') throw new Error('a pack was expected')
    expect(part).to.deep.include({ complete: true })
    expect(part.entries.map(({ kind, refs }) => [kind, refs.length])).to.deep.equal([
      ['data', 0],
      ['data', 0],
      ['tree', 64],
      ['tree', 0],
      ['snapshot', sampleManifest().tree.length],
    ])
    expect(part.manifests).to.have.length(1)
  })

  it('has no pack in which a tree or a snapshot does not match its hash, wherever in it the wrong bit is', async () => {
    const records = await sampleRecords()
    const bytes = packOf(records)
    await put(good, bytes)
    const whole = await report()
    const entries = whole[0]?.kind === 'pack' ? whole[0].entries : []
    const checked = entries.filter(({ kind }) => kind !== 'data')
    for (const { offset, length, kind } of checked) {
      for (let at = offset; at < offset + length; at += 7) {
        const wrong = Buffer.from(bytes)
        wrong[at]! ^= 1
        disk.below.damage(`packs/aa/${good}.1.1.${bytes.length}.pack`, () => wrong)
        const [part] = await report()
        expect(part?.kind, `a bit of byte ${at - offset} of a ${kind}`).to.equal('damaged')
      }
    }
  })

  it('names a damaged pack, and goes on with the next', async () => {
    const bytes = packOf(await sampleRecords())
    await put(rotten, bytes)
    await put(good, bytes)
    disk.below.damage(`packs/bb/${rotten}.1.1.${bytes.length}.pack`, (content) => content.fill(0))
    const parts = await report()
    expect(parts.map((part) => part.kind).sort()).to.deep.equal(['damaged', 'pack'])
    expect(parts.find((part) => part.kind === 'damaged')).to.include({ packId: rotten })
  })
})
