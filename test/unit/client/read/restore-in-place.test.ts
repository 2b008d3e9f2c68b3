import { expect } from 'chai'
import { RestoreBench } from '../../../support/restore-bench.ts'
import { MemoryTarget } from '../../../support/memory-target.ts'

describe('a restore in place', () => {
  let bench: RestoreBench
  let target: MemoryTarget
  beforeEach(async () => {
    bench = await RestoreBench.start()
    target = new MemoryTarget()
  })

  it('fetches nothing of a file that is there, and little of one that differs a little', async () => {
    const content = bench.content(9_000_000)
    bench.source.file('/file', content)
    await bench.backup()
    expect(await bench.restore(target)).to.include({ bytesReused: 0, filesRestored: 1 })
    bench.cluster.trace.length = 0
    target.at('file')!.mtimeNs = 1n
    const again = await bench.restore(target)
    expect(again).to.include({ bytesReused: 9_000_000, bytesMoved: 0, filesRestored: 0, filesSkipped: 1 })
    expect(target.at('file')?.mtimeNs).to.equal(bench.source.node('/file').mtimeNs)
    target.at('file')!.content[4_000_000]! ^= 1
    const repaired = await bench.restore(target)
    expect(repaired.filesRestored).to.equal(1)
    expect(repaired.bytesMoved).to.be.within(1, 4_200_000)
    expect(repaired.bytesReused).to.equal(9_000_000 - repaired.bytesMoved)
    expect(target.at('file')?.content.equals(content)).to.equal(true)
  })

  it('takes nothing for equal that has the same length and time', async () => {
    const content = bench.content(2_000_000)
    bench.source.file('/file', content)
    await bench.backup()
    await bench.restore(target)
    target.at('file')!.content.fill(7)
    await bench.restore(target, { overwrite: 'always' })
    expect(target.at('file')?.content.equals(content)).to.equal(true)
  })

  it('makes a file shorter or longer, and fills what grew', async () => {
    const content = bench.content(3_000_000)
    bench.source.file('/file', content)
    await bench.backup()
    await bench.restore(target)
    target.at('file')!.content = Buffer.concat([content, Buffer.from('more')])
    expect((await bench.restore(target)).bytesMoved).to.equal(0)
    expect(target.at('file')?.content.equals(content)).to.equal(true)
    target.at('file')!.content = Buffer.from(content.subarray(0, 1_500_000))
    await bench.restore(target)
    expect(target.at('file')?.content.equals(content)).to.equal(true)
  })

  describe('that deletes what is too much', () => {
    const names = (): string[] => [...target.entries.keys()].filter((key) => key !== '').sort()

    beforeEach(() => {
      bench.source.file('/home/user/kept/file', 'x')
      bench.source.file('/home/other', 'x')
    })

    async function disturbed(): Promise<void> {
      await bench.restore(target)
      for (const path of ['home/user/more/deep/file', 'home/user/kept/new', 'home/beside']) {
        const parts = path.split('/').map((name) => Buffer.from(name))
        await target.makeDirectory(parts.slice(0, -1), { replace: false })
        const file = await target.createFile(parts, 0)
        await file.commit({ mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n })
      }
    }

    it('leaves what is beside the paths of the backup', async () => {
      await bench.backup('/home/user')
      await disturbed()
      const summary = await bench.restore(target, { deleteOthers: true })
      expect(summary).to.include({ deleted: 4, problems: 0 })
      expect(names()).to.deep.equal(['home', 'home/beside', 'home/user', 'home/user/kept', 'home/user/kept/file'])
    })

    it('only says so in a dry run', async () => {
      await bench.backup('/home/user')
      await disturbed()
      const before = names()
      expect(await bench.restore(target, { deleteOthers: true, dryRun: true })).to.include({ deleted: 4 })
      expect(names()).to.deep.equal(before)
    })

    it('deletes nothing that was not chosen, or that the backup left out', async () => {
      await bench.client.backup({
        ...{ source: bench.source, paths: [Buffer.from('/home/user')], host: 'host' },
        excludePatterns: ['new'],
      })
      await disturbed()
      await bench.restore(target, { deleteOthers: true, includes: ['/home/user/kept'] })
      expect(names()).to.include('home/user/kept/new').and.include('home/user/more/deep/file')
    })

    it('keeps what other rules left out: ignore files, markers, size and case', async () => {
      bench.source.file('/home/user/.twofoldignore', '*.tmp')
      bench.source.file('/home/user/cache/.nobackup', '')
      await bench.client.backup({
        ...{ source: bench.source, paths: [Buffer.from('/home/user')], host: 'host' },
        excludePatterns: ['--exclude-if-present=.nobackup:x', '--exclude-larger-than=5', '--iexclude=*.JPG'],
      })
      await bench.restore(target)
      const kept = ['home/user/kept/x.tmp', 'home/user/cache/data', 'home/user/large', 'home/user/a.jpg']
      for (const path of [...kept, 'home/user/too-much']) {
        const file = await target.createFile(
          path.split('/').map((name) => Buffer.from(name)),
          path.endsWith('large') ? 6 : 5,
        )
        await file.commit({ mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n })
      }
      expect(await bench.restore(target, { deleteOthers: true })).to.include({ deleted: 1, problems: 0 })
      expect(names()).to.include.members(kept).and.not.to.include('home/user/too-much')
    })

    it('deletes nothing in a folder that it could not read from the snapshot', async () => {
      await bench.backup('/home/user')
      await disturbed()
      const trees = bench.cluster.records('tree')
      for (const tree of trees) {
        for (const holder of bench.cluster.holders(tree)) await bench.cluster.damage(tree, holder, 60)
      }
      await bench.restore(target, { deleteOthers: true }).catch(() => undefined)
      expect(names()).to.include('home/user/kept/new').and.include('home/user/more/deep/file')
    })
  })
})
