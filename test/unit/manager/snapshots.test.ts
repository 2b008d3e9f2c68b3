import { expect } from 'chai'
import { toHex } from '../../../src/core/ids.ts'
import type { ChunkId, Incarnation, SnapshotId } from '../../../src/core/ids.ts'
import { blake3 } from '../../../src/format/hash.ts'
import { encodeManifest } from '../../../src/format/manifest.ts'
import { expectError } from '../../support/expect-error.ts'
import { PaperCluster, anyFilter, chunk, firstPage, treeOf } from './cluster-fixture.ts'
import type { PaperNode } from './cluster-fixture.ts'

const utf8 = (text: string): Uint8Array => Buffer.from(text)

/** Lets every node but these report until the silent ones are dead. */
async function outlive(cluster: PaperCluster, silent: readonly PaperNode[]): Promise<void> {
  for (let second = 0; second < 600; second += 3) {
    cluster.clock.advance(3000)
    await cluster.heartbeatAll(silent)
  }
}

describe('snapshots', () => {
  it('exist once they are committed, and the answer can be asked for again', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const draft = await cluster.upload(session, ['a', 'b'])
    expect((await cluster.manager.listSnapshots(anyFilter, firstPage)).items).to.deep.equal([])
    const first = await cluster.manager.commitSnapshot(draft)
    expect(first).to.include({ snapshotId: draft.snapshotId, fileVersion: 0 })
    expect(first.durability).to.include({ copies: 2, copiesWanted: 2, failureDomains: 2, packs: 3, packsDegraded: 0 })
    expect(await cluster.manager.commitSnapshot(draft)).to.deep.equal(first)
    const { statement: _, witnessesNeeded, ...listed } = first
    expect(witnessesNeeded).to.equal(2)
    expect((await cluster.manager.listSnapshots(anyFilter, firstPage)).items).to.deep.equal([listed])
    const { items } = await cluster.manager.listHistory('backup', firstPage)
    expect(items.map((item) => [item.result, item.snapshotId])).to.deep.equal([['ok', draft.snapshotId]])
    expect(await cluster.manager.getStatus()).to.include({ snapshots: 1, sessionsOpen: 0 })
  })

  it('are committed once when the same commit comes twice at the same time', async () => {
    const cluster = await PaperCluster.start(2)
    const draft = await cluster.upload(await cluster.begin(), ['a'])
    const [one, two] = await Promise.all([cluster.manager.commitSnapshot(draft), cluster.manager.commitSnapshot(draft)])
    expect(one).to.deep.equal(two)
    expect((await cluster.manager.listHistory('backup', firstPage)).items).to.have.length(1)
  })

  it('are refused when their id or their manifest is wrong', async () => {
    const cluster = await PaperCluster.start(2)
    const session = await cluster.begin()
    const draft = await cluster.upload(session, ['a'])
    const { manager } = cluster
    const snapshotId = 'a'.repeat(64) as SnapshotId
    await expectError(manager.commitSnapshot({ ...draft, snapshotId }), 'invalid-argument')
    const commit = (manifest: Uint8Array): Promise<unknown> =>
      manager.commitSnapshot({ session, manifest, snapshotId: toHex(blake3(manifest)) as SnapshotId })
    await expectError(commit(utf8('nonsense')), 'invalid-argument')
    const tree = treeOf([chunk('a')]).chunkId
    for (const more of [{ sessionId: 'b'.repeat(32) }, { vault: 'other' }, { fileName: 'f' }]) {
      await expectError(commit(encodeManifest({ ...cluster.manifest(session, tree), ...more })), 'invalid-argument')
    }
    const unstored = encodeManifest(cluster.manifest(session, tree, { tags: ['never stored'] }))
    await expectError(commit(unstored), 'missing-chunks')
    const elsewhere = encodeManifest(cluster.manifest(session, blake3(utf8('no tree')) as ChunkId))
    await expectError(commit(elsewhere), 'missing-chunks')
    await manager.commitSnapshot(draft)
  })

  it('are refused while a pack of theirs has too few copies', async () => {
    const cluster = await PaperCluster.start(2)
    const draft = await cluster.upload(await cluster.begin(), ['a'])
    const node = cluster.nodes[0] as PaperNode
    const incarnation = 'e'.repeat(32) as Incarnation
    await node.register({ bootId: '1'.repeat(32), node: { ...node.request.node, incarnation } })
    const error = await expectError(cluster.manager.commitSnapshot(draft), 'missing-chunks')
    expect(error.message).to.contain('3 of its packs')
    expect((await cluster.manager.listSnapshots(anyFilter, firstPage)).items).to.deep.equal([])
  })

  it('need the packs of everything below their root, and no others', async () => {
    const cluster = await PaperCluster.start(3)
    const session = await cluster.begin()
    const [a, b, c] = [chunk('a'), chunk('b'), chunk('c')]
    const packA = await cluster.store(session, [a])
    const packB = await cluster.store(session, [b])
    await cluster.store(session, [c])
    const inner = treeOf([a])
    const packTrees = await cluster.store(session, [inner, treeOf([b, inner])])
    const manifest = encodeManifest(cluster.manifest(session, treeOf([b, inner]).chunkId))
    const record = {
      ...a,
      chunkId: blake3(manifest) as ChunkId,
      kind: 'snapshot' as const,
      refs: treeOf([b, inner]).chunkId,
    }
    const packSnapshot = await cluster.store(session, [record])
    const snapshotId = toHex(blake3(manifest)) as SnapshotId
    await cluster.manager.commitSnapshot({ session, manifest, snapshotId })
    const packs = await cluster.manager.listSnapshotPacks(snapshotId, firstPage)
    const expected = [packA, packB, packTrees, packSnapshot].map((pack) => pack.packId)
    expect(packs.items.map((pack) => pack.packId)).to.deep.equal(expected)
    expect(packs.items[0]?.copies.map((copy) => copy.state)).to.deep.equal(['up', 'up'])
    const first = await cluster.manager.listSnapshotPacks(snapshotId, { pageSize: 3, pageToken: '' })
    const rest = await cluster.manager.listSnapshotPacks(snapshotId, { pageSize: 3, pageToken: first.nextPageToken })
    expect([...first.items, ...rest.items]).to.deep.equal(packs.items)
    expect(rest.nextPageToken).to.equal('')
  })

  it('have the newest of the same host and paths as their parent', async () => {
    const cluster = await PaperCluster.start(2)
    const paths = [utf8('/a'), utf8('/b')]
    const first = await cluster.backup(['a'], { paths })
    await cluster.backup(['b'], { paths: [utf8('/a')] })
    await cluster.backup(['c'], { paths, host: 'other' })
    await cluster.backup(['d'], { fileName: 'file', paths: [] })
    const reversed = paths.toReversed()
    expect((await cluster.begin({ paths: reversed })).parent?.snapshotId).to.equal(first.snapshotId)
    expect((await cluster.begin({ paths, noParent: true })).parent).to.equal(undefined)
    const named = await cluster.begin({ parent: first.snapshotId.slice(0, 8) })
    expect(named.parent?.snapshotId).to.equal(first.snapshotId)
    cluster.clock.setWall(0)
    const second = await cluster.backup(['a', 'b'], { paths })
    expect(second.committedAtMs).to.be.lessThan(first.committedAtMs)
    expect((await cluster.begin({ paths })).parent?.snapshotId).to.equal(second.snapshotId)
    expect((await cluster.manager.getSnapshot('latest', anyFilter)).snapshotId).to.equal(second.snapshotId)
  })

  it('are no parent once they have lost copies', async () => {
    const cluster = await PaperCluster.start(3)
    await cluster.backup(['a'])
    await outlive(cluster, [cluster.nodes[0] as PaperNode])
    const [snapshot] = (await cluster.manager.listSnapshots(anyFilter, firstPage)).items
    expect(snapshot?.durability.copies).to.equal(1)
    expect((await cluster.begin()).parent).to.equal(undefined)
    const next = await cluster.backup(['a'], { tags: ['second'] })
    expect(next.durability).to.include({ copies: 2, packsDegraded: 0 })
  })

  it('reuse the packs of a parent with the same root tree', async () => {
    const cluster = await PaperCluster.start(2)
    const first = await cluster.backup(['a', 'b'])
    const second = await cluster.backup(['a', 'b'], { tags: ['again'] })
    const ids = async (id: SnapshotId): Promise<string[]> =>
      (await cluster.manager.listSnapshotPacks(id, firstPage)).items.map((pack) => pack.packId)
    expect(await ids(second.snapshotId)).to.include.members(await ids(first.snapshotId))
    expect(second.durability.packs).to.equal(first.durability.packs + 1)
  })

  it('say how safe they are as nodes come and go', async () => {
    const cluster = await PaperCluster.start(2)
    await cluster.backup(['a'])
    const durability = async () => (await cluster.manager.getSnapshot('latest', anyFilter)).durability
    cluster.clock.advance(6000)
    expect(await durability()).to.include({ copies: 2, packsDegraded: 0 })
    await outlive(cluster, [cluster.nodes[0] as PaperNode])
    const one = await durability()
    expect(one).to.include({ copies: 1, packsDegraded: 3, packsUnavailable: 0, failureDomains: 1 })
    expect(one.nodes.map((node) => node.name)).to.deep.equal(['n2'])
    expect(await cluster.manager.getStatus()).to.include({ packsDegraded: 3, packsUnavailable: 0 })
    await outlive(cluster, cluster.nodes)
    expect(await durability()).to.include({ copies: 0, packsUnavailable: 3 })
    await cluster.heartbeatAll()
    expect(await durability()).to.include({ copies: 2, packsDegraded: 0 })
  })

  describe('are found', () => {
    it('by the beginning of their id when only one begins like this', async () => {
      const cluster = await PaperCluster.start(2)
      const made = new Map<string, string>()
      let shared: string | undefined
      // A shared beginning of four digits among ids that are hashes takes some hundred tries, so rows are enough here.
      for (let n = 0; shared === undefined; n++) {
        const id = toHex(blake3(utf8(`row ${n}`)))
        if (made.has(id.slice(0, 4))) shared = id.slice(0, 4)
        made.set(id.slice(0, 4), id)
        await cluster.catalogue.write(async (tx) => {
          await tx.snapshots.add({
            snapshotId: id as SnapshotId,
            vault: 1,
            tree: blake3(utf8('t')) as ChunkId,
            manifest: new Uint8Array(),
            packs: new Uint8Array(),
            committedAtMs: 1,
            fileName: '',
            fileVersion: 0,
            host: '',
            pathsKey: new Uint8Array(),
          })
        })
      }
      await expectError(cluster.manager.getSnapshot(shared, anyFilter), 'ambiguous')
      const id = made.get(shared) as SnapshotId
      expect((await cluster.manager.getSnapshot(id, anyFilter)).snapshotId).to.equal(id)
      expect((await cluster.manager.getSnapshot(id.slice(0, 20).toUpperCase(), anyFilter)).snapshotId).to.equal(id)
    })

    it('or not', async () => {
      const cluster = await PaperCluster.start(2)
      const { manager } = cluster
      await expectError(manager.getSnapshot('latest', anyFilter), 'not-found')
      await expectError(manager.getSnapshot('abcdef', anyFilter), 'not-found')
      await expectError(manager.getSnapshot('not an id', anyFilter), 'not-found')
      await expectError(manager.getSnapshot('abc', anyFilter), 'invalid-argument')
      await expectError(manager.getSnapshot('latest', { ...anyFilter, vault: 'nope' }), 'not-found')
      await expectError(manager.listSnapshotPacks('a'.repeat(64) as SnapshotId, firstPage), 'not-found')
    })

    it('through a filter', async () => {
      const cluster = await PaperCluster.start(2)
      const one = await cluster.backup(['a'], { tags: ['x', 'y'], paths: [utf8('/p'), utf8('/q')] })
      const two = await cluster.backup(['b'], { tags: ['x'], host: 'other', paths: [utf8('/p')] })
      const ids = async (more: Partial<typeof anyFilter>): Promise<string[]> =>
        (await cluster.manager.listSnapshots({ ...anyFilter, ...more }, firstPage)).items.map((item) => item.snapshotId)
      expect(await ids({})).to.deep.equal([one.snapshotId, two.snapshotId])
      expect(await ids({ host: 'other' })).to.deep.equal([two.snapshotId])
      expect(await ids({ tags: ['x'] as never[] })).to.deep.equal([one.snapshotId, two.snapshotId])
      expect(await ids({ tags: ['x', 'y'] as never[] })).to.deep.equal([one.snapshotId])
      expect(await ids({ paths: [utf8('/q')] as never[] })).to.deep.equal([one.snapshotId])
      expect(await ids({ paths: [utf8('/r')] as never[] })).to.deep.equal([])
      const latest = await cluster.manager.getSnapshot('latest', { ...anyFilter, tags: ['y'] })
      expect(latest.snapshotId).to.equal(one.snapshotId)
    })

    it('a page at a time', async () => {
      const cluster = await PaperCluster.start(2)
      const all = []
      for (let n = 0; n < 7; n++) all.push((await cluster.backup([`${n}`])).snapshotId)
      const seen = []
      let pageToken = ''
      do {
        const page = await cluster.manager.listSnapshots(anyFilter, { pageSize: 3, pageToken })
        seen.push(page.items.map((item) => item.snapshotId))
        pageToken = page.nextPageToken
      } while (pageToken !== '')
      expect(seen).to.deep.equal([all.slice(0, 3), all.slice(3, 6), all.slice(6)])
      const exact = await cluster.manager.listSnapshots(anyFilter, { pageSize: 7, pageToken: '' })
      expect(exact.nextPageToken).to.equal('')
    })
  })
})

describe('pages', () => {
  it('are refused with a token or a size that makes no sense', async () => {
    const cluster = await PaperCluster.start(2)
    for (let n = 0; n < 3; n++) await cluster.backup([`${n}`])
    const { manager } = cluster
    const { nextPageToken } = await manager.listSnapshots(anyFilter, { pageSize: 1, pageToken: '' })
    for (const pageToken of [
      'x',
      'W10',
      '"',
      nextPageToken.slice(0, -4),
      Buffer.from('["snapshots","-1"]').toString('base64url'),
    ]) {
      await expectError(manager.listSnapshots(anyFilter, { pageSize: 1, pageToken }), 'invalid-argument')
    }
    await expectError(manager.listHistory('', { pageSize: 1, pageToken: nextPageToken }), 'invalid-argument')
    for (const pageSize of [-1, 1001, 0.5]) {
      await expectError(manager.listHistory('', { pageSize, pageToken: '' }), 'invalid-argument')
    }
  })

  it('of the history begin with the newest and go on without gaps', async () => {
    const cluster = await PaperCluster.start(3)
    for (let n = 0; n < 4; n++) await cluster.backup([`${n}`])
    const numbers: number[] = []
    let pageToken = ''
    do {
      const page = await cluster.manager.listHistory('', { pageSize: 2, pageToken })
      numbers.push(...page.items.map((item) => item.number))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    expect(numbers).to.have.length(7)
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => b - a))
  })
})

describe('named files', () => {
  const all = { vault: '', name: '', prefix: '', version: 0, ...firstPage }

  it('count their versions, deletions included', async () => {
    const cluster = await PaperCluster.start(2)
    const { manager } = cluster
    const put = (text: string) => cluster.backup([text], { fileName: 'f', paths: [] })
    expect((await put('1')).fileVersion).to.equal(1)
    expect((await put('2')).fileVersion).to.equal(2)
    const deletion = await manager.deleteFile({ vault: '', name: 'f', actor: 'ada@laptop' })
    expect(deletion).to.deep.include({ name: 'f', version: 3, deleted: true, snapshot: undefined })
    expect(await manager.deleteFile({ vault: '', name: 'f', actor: 'ada@laptop' })).to.deep.equal(deletion)
    expect((await manager.listFileVersions(all)).items).to.deep.equal([])
    expect((await put('3')).fileVersion).to.equal(4)
    const history = await manager.listFileVersions({ ...all, name: 'f' })
    expect(history.items.map((file) => [file.version, file.deleted])).to.deep.equal([
      [4, false],
      [3, true],
      [2, false],
      [1, false],
    ])
    const second = await manager.listFileVersions({ ...all, name: 'f', version: 2 })
    expect(second.items.map((file) => file.version)).to.deep.equal([2])
    expect((await manager.listFileVersions({ ...all, name: 'f', version: 9 })).items).to.deep.equal([])
    expect((await manager.listHistory('delete', firstPage)).items).to.have.length(1)
    expect((await manager.listSnapshots(anyFilter, firstPage)).items).to.deep.equal([])
  })

  it('are listed by prefix, a page at a time', async () => {
    const cluster = await PaperCluster.start(2)
    for (const fileName of ['a/1', 'a/2', 'a/3', 'b']) await cluster.backup([fileName], { fileName, paths: [] })
    const first = await cluster.manager.listFileVersions({ ...all, prefix: 'a/', pageSize: 2 })
    expect(first.items.map((file) => file.name)).to.deep.equal(['a/1', 'a/2'])
    const pageToken = first.nextPageToken
    const second = await cluster.manager.listFileVersions({ ...all, prefix: 'a/', pageSize: 2, pageToken })
    expect(second.items.map((file) => file.name)).to.deep.equal(['a/3'])
    expect(second.nextPageToken).to.equal('')
  })

  it('that never were cannot be deleted', async () => {
    const cluster = await PaperCluster.start(2)
    await expectError(cluster.manager.deleteFile({ vault: '', name: 'f', actor: '' }), 'not-found')
    await expectError(cluster.manager.deleteFile({ vault: '', name: '', actor: '' }), 'invalid-argument')
  })
})
