import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { TargetDisk } from '../../src/client/index.ts'
import type { RestoreSummary } from '../../src/client/index.ts'
import type { Session } from '../../src/core/messages.ts'
import type { SealedRecord } from '../../src/format/record.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { dataRecord, packOf, snapshotOf, treeRecord } from '../support/hand-made-snapshot.ts'
import { MemorySource } from '../support/memory-source.ts'
import { WireCluster, slicesOf } from '../support/wire-cluster.ts'

describe('restore of a snapshot that was made to do harm, from a real cluster', () => {
  let cluster: WireCluster
  before(async () => (cluster = await WireCluster.start({ nodes: ['n1', 'n2'] })))
  after(() => cluster.stop())

  /** Saves a tree by hand, restores it into `target` and shows what is beside that. */
  async function restored(
    name: string,
    rootOf: (session: Session) => Promise<readonly SealedRecord[]>,
  ): Promise<{ summary: RestoreSummary; folder: string }> {
    const session = await cluster.session()
    const records = await rootOf(session)
    const draft = await snapshotOf(session, records.at(-1)!, name)
    const pack = packOf(session, [...records, draft.record])
    const allocation = await cluster.allocate(session, pack.length)
    await cluster.storageApi.upload(allocation.primary, cluster.headerOf(allocation, pack.length), slicesOf(pack))
    await cluster.managerApi.commitSnapshot({ session, snapshotId: draft.snapshotId, manifest: draft.manifest })
    const folder = join(cluster.directory, `restore-${name}`)
    fs.mkdirSync(folder)
    const target = new TargetDisk(join(folder, 'a', 'target'), { random: systemRandom, clock: systemClock })
    return { summary: await cluster.client().restore({ reference: draft.snapshotId, target }), folder }
  }
  const everythingIn = (folder: string): string[] =>
    fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()

  describe('a snapshot whose tree has', () => {
    const evil: Record<string, string> = {
      parent: '..',
      itself: '.',
      nothing: '',
      climb: '../../escape',
      absolute: '/tmp/twofold-escape',
      slash: 'b/c',
      nul: 'nul\0',
    }
    for (const [what, text] of Object.entries(evil)) {
      it(`the name ${JSON.stringify(text)} is restored without it, and writes nothing elsewhere`, async () => {
        const { summary, folder } = await restored(what, async (session) => {
          const content = await dataRecord(session, Buffer.from('harm'))
          const extents = [{ chunk: content.chunkId, chunkOffset: 0, length: 4 }]
          const bad = await treeRecord(session, [{ name: Buffer.from(text), size: 4, extents }])
          const directory = { type: 'directory', tree: bad.chunkId } as const
          const root = await treeRecord(session, [
            { name: Buffer.from('bad'), ...directory },
            { name: Buffer.from('good'), size: 4, extents },
          ])
          return [content, bad, root]
        })
        expect(summary).to.include({ filesRestored: 1, problems: 1, damaged: 1 })
        const left = everythingIn(folder).filter((path) => path !== 'a/target/bad')
        expect(left).to.deep.equal(['a', 'a/target', 'a/target/good'])
        expect(fs.existsSync('/tmp/twofold-escape')).to.equal(false)
      })
    }

    it('a symbolic link and a directory of the same name is not restored through the link', async () => {
      const { summary, folder } = await restored('twice', async (session) => {
        const content = await dataRecord(session, Buffer.from('harm'))
        const extents = [{ chunk: content.chunkId, chunkOffset: 0, length: 4 }]
        const inner = await treeRecord(session, [{ name: Buffer.from('file'), size: 4, extents }])
        const name = Buffer.from('x')
        const bad = await treeRecord(session, [
          { name, type: 'symlink', target: Buffer.from('../../..') },
          { name, type: 'directory', tree: inner.chunkId },
        ])
        const root = await treeRecord(session, [
          { name: Buffer.from('bad'), type: 'directory', tree: bad.chunkId },
          { name: Buffer.from('good'), size: 4, extents },
        ])
        return [content, inner, bad, root]
      })
      expect(summary).to.include({ filesRestored: 1, symlinks: 0, damaged: 1 })
      expect(everythingIn(folder).filter((path) => path.endsWith('/file') || path.endsWith('/x'))).to.deep.equal([])
    })
  })

  it('a directory is not restored through a symbolic link that an earlier restore left in its place', async () => {
    const folder = join(cluster.directory, 'restore-link')
    fs.mkdirSync(join(folder, 'outside'), { recursive: true })
    const client = cluster.client()
    const link = new MemorySource()
    link.symlink('/data/x', join(folder, 'outside'))
    const directory = new MemorySource()
    directory.file('/data/x/file', 'content')
    for (const source of [link, directory]) {
      const { snapshot } = await client.backup({ source, paths: [Buffer.from('/data')] })
      const target = new TargetDisk(join(folder, 'target'), { random: systemRandom, clock: systemClock })
      expect(await client.restore({ reference: snapshot!.id, target })).to.include({ problems: 0 })
    }
    expect(fs.readdirSync(join(folder, 'outside'))).to.deep.equal([])
    expect(fs.readFileSync(join(folder, 'target/data/x/file'), 'utf8')).to.equal('content')
  })
})
