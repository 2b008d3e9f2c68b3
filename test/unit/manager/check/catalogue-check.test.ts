import { expect } from 'chai'
import { DatabaseSync } from 'node:sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CatalogueFinding, LossPart } from '../../../../src/core/check-messages.ts'
import { toHex } from '../../../../src/core/ids.ts'
import type { PackId } from '../../../../src/core/ids.ts'
import { chunk, PaperCluster } from '../cluster-fixture.ts'

describe('a check of the catalogue', () => {
  let folder: string
  let cluster: PaperCluster

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'twofold-check-'))
    cluster = await PaperCluster.start(2, { path: join(folder, 'catalogue.db') })
  })
  afterEach(async () => {
    await cluster.catalogue.close()
    rmSync(folder, { recursive: true })
  })

  async function problems(): Promise<string[]> {
    const found: CatalogueFinding[] = []
    for await (const finding of cluster.manager.admin.checkCatalogue()) found.push(finding)
    expect(found.at(-1)).to.deep.equal({ kind: 'progress', phase: 'done', done: 1, total: 1 })
    return found.flatMap((finding) => (finding.kind === 'problem' ? [finding.problem] : []))
  }

  /** Behind the back of the manager. */
  function spoil(sql: string): Promise<void> {
    return cluster.restart(() => {
      const database = new DatabaseSync(join(folder, 'catalogue.db'))
      database.exec('PRAGMA foreign_keys = OFF')
      expect(database.prepare(sql).run().changes, sql).to.be.greaterThan(0)
      database.close()
    })
  }

  it('has nothing to say of a sound one, also of what is in the trash', async () => {
    const { snapshotId } = await cluster.backup(['a', 'b'])
    await cluster.backup(['a', 'c'])
    await cluster.manager.admin.forgetSnapshots({ vault: '', snapshotIds: [snapshotId], now: false, actor: '' })
    expect(await problems()).to.deep.equal([])
  })

  it('finds a chunk that is missing, once, whoever needs it', async () => {
    await cluster.backup(['a', 'b'])
    await cluster.backup(['a', 'b'], { host: 'other' })
    const id = toHex(chunk('a').chunkId)
    await spoil(`DELETE FROM chunks WHERE chunk_id = x'${id}'`)
    expect(await problems()).to.deep.equal([`it needs chunk ${id}, which is not in the catalogue`])
  })

  it('finds a tree whose references are missing', async () => {
    await cluster.backup(['a'])
    await spoil('DELETE FROM trees WHERE id = (SELECT min(id) FROM trees)')
    expect((await problems()).join()).to.match(/what tree [0-9a-f]{64} refers to is not in the catalogue/)
  })

  it('finds what lies in a pack that is gone', async () => {
    await cluster.backup(['a'])
    await spoil("UPDATE packs SET state = 'deleted' WHERE id = 1")
    expect((await problems()).join()).to.match(/it needs chunk [0-9a-f]{64} of pack [0-9a-f]{32}, which is deleted/)
  })

  it('finds a manifest that was changed', async () => {
    await cluster.backup(['a'])
    await spoil('UPDATE snapshots SET manifest = zeroblob(10)')
    expect(await problems()).to.include('its manifest is not the one that its id names')
  })

  it('finds a log whose past was changed', async () => {
    await cluster.backup(['a'])
    await cluster.backup(['b'])
    await spoil('DELETE FROM commit_log WHERE sequence = (SELECT max(sequence) - 1 FROM commit_log)')
    expect((await problems()).join()).to.match(/the log is broken: entry \d+ does not follow entry \d+/)
  })

  it('says what is lost with packs: their chunks, and the snapshots that need them', async () => {
    const first = await cluster.backup(['a'])
    await cluster.backup(['b'])
    const { items } = await cluster.manager.admin.listPacks({ pageSize: 0, pageToken: '', withSample: true })
    const pack = items.find(({ sample }) => sample !== undefined && toHex(sample.chunkId) === toHex(chunk('a').chunkId))
    expect(pack?.copies).to.have.length(2)
    const parts: LossPart[] = []
    for await (const part of cluster.manager.admin.assessLoss([pack?.packId as PackId])) parts.push(part)
    expect(parts.flatMap(({ chunkIds }) => chunkIds.map(toHex))).to.deep.equal([toHex(chunk('a').chunkId)])
    const snapshots = parts.flatMap((part) => part.snapshots.map(({ snapshotId }) => snapshotId))
    expect(snapshots).to.deep.equal([first.snapshotId])
  })
})
