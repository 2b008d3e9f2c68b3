import { expect } from 'chai'
import { runPrune } from '../../../../src/client/prune.ts'
import type { BackupSummary } from '../../../../src/client/backup-request.ts'
import type { PruneRequest, PruneSummary } from '../../../../src/client/prune.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import type { BackupFixture } from '../../../support/backup-fixture.ts'

async function forget({ cluster }: BackupFixture, ...summaries: BackupSummary[]): Promise<void> {
  const snapshotIds = summaries.flatMap(({ snapshot }) => snapshot?.id ?? [])
  await cluster.manager.admin.forgetSnapshots({ vault: '', snapshotIds, now: true, actor: 'test' })
}

function prune({ cluster, deps }: BackupFixture, request: PruneRequest = {}): Promise<PruneSummary> {
  return runPrune({ ...deps, admin: cluster.clientPorts.admin }, request, {})
}

async function storedBytes({ cluster }: BackupFixture): Promise<number> {
  return (await cluster.manager.getStatus()).storedBytes
}

function nodeBytes({ cluster }: BackupFixture): number {
  return cluster.nodes.flatMap((node) => [...node.store.list()]).reduce((sum, pack) => sum + pack.lengthBytes, 0)
}

describe('a prune', () => {
  it('gives back on every node what no snapshot needs, and leaves the rest readable', async () => {
    const fixture = await createBackupFixture()
    const { source, random, backup, entries, cluster } = fixture
    source.file('/src/gone', random.bytes(3_000_000))
    const first = await backup()
    source.remove('/src/gone')
    source.file('/src/stays', random.bytes(2_000_000))
    const second = await backup()
    const before = await storedBytes(fixture)
    await forget(fixture, first)
    const { found } = await prune(fixture)
    expect(found.snapshotsRemoved).to.equal(1)
    expect(found.bytesDeleted).to.be.greaterThan(3_000_000)
    expect(await storedBytes(fixture)).to.equal(before - found.bytesDeleted)
    await cluster.beatAll()
    expect(nodeBytes(fixture)).to.equal(2 * (await storedBytes(fixture)))
    expect((await entries(second)).get('/src/stays')?.content).to.have.length(2_000_000)
  })

  it('moves what is needed of half-empty packs, and the result is the same', async () => {
    const fixture = await createBackupFixture()
    const { source, random, backup, entries, cluster } = fixture
    for (let n = 0; n < 20; n++) source.file(`/src/f${n}`, random.bytes(500_000))
    const first = await backup()
    for (let n = 0; n < 15; n++) source.remove(`/src/f${n}`)
    const second = await backup()
    const before = await entries(second)
    await forget(fixture, first)
    const { found, moved, last } = await prune(fixture)
    expect(found.packsRepackable).to.be.greaterThan(0)
    expect(moved?.packs).to.equal(found.packsRepackable)
    expect(last.packsDeleted).to.equal(found.packsRepackable)
    await cluster.beatAll()
    expect(await storedBytes(fixture)).to.be.lessThan(2_600_000)
    expect(nodeBytes(fixture)).to.equal(2 * (await storedBytes(fixture)))
    expect(await entries(second)).to.deep.equal(before)
    const snapshot = await cluster.manager.getSnapshot(second.snapshot?.id ?? '', {
      vault: '',
      host: '',
      paths: [],
      tags: [],
    })
    expect(snapshot.durability).to.include({ copies: 2, packsDegraded: 0, packsUnavailable: 0 })
  })

  it('says with --dry-run what would go, and changes nothing', async () => {
    const fixture = await createBackupFixture()
    const { source, random, backup } = fixture
    source.file('/src/a', random.bytes(1_000_000))
    const first = await backup()
    const before = await storedBytes(fixture)
    await forget(fixture, first)
    const { found } = await prune(fixture, { dryRun: true })
    expect(found).to.include({ snapshotsRemoved: 1, bytesCondemned: before, packsDeleted: 0 })
    expect(await storedBytes(fixture)).to.equal(before)
    const { found: real } = await prune(fixture)
    expect(real.bytesDeleted).to.equal(before)
    expect(await storedBytes(fixture)).to.equal(0)
  })

  it('finds nothing to do a second time', async () => {
    const fixture = await createBackupFixture()
    const { source, random, backup } = fixture
    for (let n = 0; n < 8; n++) source.file(`/src/f${n}`, random.bytes(500_000))
    const first = await backup()
    for (let n = 0; n < 6; n++) source.remove(`/src/f${n}`)
    await backup()
    await forget(fixture, first)
    await prune(fixture)
    const { found, moved } = await prune(fixture)
    expect(found).to.include({ packsCondemned: 0, packsDeleted: 0, packsRepackable: 0, packsWaiting: 0 })
    expect(moved).to.equal(undefined)
  })
})
