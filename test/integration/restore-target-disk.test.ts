import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SnapshotId } from '../../src/core/ids.ts'
import { restoreOpenFilesMax } from '../../src/core/limits.ts'
import type { TargetFile } from '../../src/client/restore-target.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { TargetDisk } from '../../src/client/target-disk.ts'
import { loadFileTimes } from '../../src/client/file-times.ts'
import { expectCode, restoreTargetContract, writeFile } from '../contract/restore-target.contract.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const name = (text: string): Uint8Array => Buffer.from(text)
const metadata = { mode: 0o644, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mtimeNs: 5n }

describe('TargetDisk', () => {
  let base: string
  beforeEach(() => (base = fs.mkdtempSync(join(tmpdir(), 'twofold-target-'))))
  // Node's own removal does not get through paths longer than the system takes.
  afterEach(() => execFileSync('rm', ['-rf', base]))

  const open = (path = join(base, 'target')): TargetDisk =>
    new TargetDisk(path, { random: new SeededRandom(), clock: systemClock })
  const left = (path: string): string[] => fs.readdirSync(path).filter((file) => file.startsWith('.twofold-'))

  for (const threads of [0, 1, 2]) {
    describe(`contract, ${threads} threads`, () => {
      restoreTargetContract(
        () => new TargetDisk(join(base, 'target'), { random: new SeededRandom(), clock: systemClock, threads }),
      )
    })
  }

  it('leaves no temporary file and no descriptor behind', async () => {
    const before = fs.readdirSync('/proc/self/fd').length
    const target = open()
    await target.prepare()
    await writeFile(target, 'a', 'content')
    await target.makeLink([name('a')], [name('b')])
    await target.makeLink([name('a')], [name('b')])
    const file = await target.createFile([name('c')], 1)
    await file.discard()
    const large = Buffer.alloc(2 * 300_001, 'x')
    const kept = await target.createFile([name('l')], large.length)
    const dropped = await target.createFile([name('m')], 1)
    await kept.write(large.subarray(0, 300_001), 0)
    await dropped.write(large, 0)
    // So many that its descriptors are closed in between.
    const others: TargetFile[] = []
    for (let at = 0; at < restoreOpenFilesMax; at++) others.push(await target.createFile([name(`o${at}`)], 1))
    await kept.write(large.subarray(300_001), 300_001)
    await kept.commit(metadata)
    for (const other of [...others, dropped]) await other.discard()
    expect(fs.readFileSync(join(base, 'target/l')).equals(large)).to.equal(true)
    await target.makeDirectory([name('d')], { replace: true })
    await expectCode(target.makeSymlink([name('d')], name('x'), metadata), 'failed-precondition')
    await expectCode(target.makeLink([name('a')], [name('d')]), 'failed-precondition')
    await target.close()
    expect(left(join(base, 'target'))).to.deep.equal([])
    expect(fs.readdirSync('/proc/self/fd').length).to.equal(before)
  })

  describe('after a restore that was killed', () => {
    const thing = { snapshotId: '5a'.repeat(32) as SnapshotId, path: Buffer.from('/'), overwrite: 'always' } as const
    const markPath = (): string => join(base, 'target', `.twofold-restore-${'5a'.repeat(8)}`)
    const begin = async (): Promise<{ target: TargetDisk; sinceNs: bigint | undefined }> => {
      const target = new TargetDisk(join(base, 'target'), { random: systemRandom, clock: systemClock })
      await target.prepare()
      return { target, sinceNs: await target.begin(thing) }
    }

    it('removes what that one left half done, and nothing of anybody else', async () => {
      const killed = await begin()
      await killed.target.makeDirectory([name('d')], { replace: false })
      await killed.target.createFile([name('a')], 10)
      await killed.target.createFile([name('d'), name('b')], 10)
      const other = open()
      await other.prepare()
      await other.createFile([name('d'), name('c')], 10)
      const { target, sinceNs } = await begin()
      expect(sinceNs).to.be.a('bigint')
      await target.makeDirectory([name('d')], { replace: false })
      const own = await target.createFile([name('d'), name('own')], 10)
      await target.makeDirectory([name('d')], { replace: false })
      await own.commit(metadata)
      expect(left(join(base, 'target')), 'the mark alone').to.have.lengthOf(1)
      expect(left(join(base, 'target/d')), 'of the other one').to.have.lengthOf(1)
      await target.finish()
      expect(left(join(base, 'target'))).to.deep.equal([])
      for (const each of [killed.target, other, target]) await each.close()
    })

    it('believes no mark from before the machine was started, and none that is torn or no file', async () => {
      const spoil: ((text: string) => void)[] = [
        (text) => fs.writeFileSync(markPath(), text.replace(/\n[^\n]*\n/, '\n00000000-another-start\n')),
        () => fs.writeFileSync(markPath(), ''),
        (text) => fs.writeFileSync(markPath(), text.slice(0, -3)),
        () => fs.symlinkSync('/etc/passwd', markPath()),
        () => execFileSync('mkfifo', [markPath()]),
        () => fs.writeFileSync(markPath(), Buffer.alloc(1_000_000)),
      ]
      for (const [index, work] of spoil.entries()) {
        await (await begin()).target.close()
        const text = fs.readFileSync(markPath(), 'utf8')
        fs.rmSync(markPath())
        work(text)
        const { target, sinceNs } = await begin()
        expect(sinceNs, `number ${index}`).to.equal(undefined)
        await target.close()
      }
    })
  })

  it('may itself be a symbolic link, and is made where it is missing', async () => {
    fs.mkdirSync(join(base, 'real'))
    fs.symlinkSync('real', join(base, 'link'))
    const target = open(join(base, 'link', 'deep', 'er'))
    await target.prepare()
    await writeFile(target, 'a', 'content')
    await target.close()
    expect(fs.readFileSync(join(base, 'real/deep/er/a'), 'utf8')).to.equal('content')
  })

  it('says so when the target cannot be written to', async () => {
    fs.writeFileSync(join(base, 'file'), '')
    for (const path of [join(base, 'file'), join(base, 'file', 'below'), '/proc/nothing']) {
      const target = open(path)
      const error: unknown = await target.prepare().catch((reason: unknown) => reason)
      expect((error as Error).message).to.match(/^cannot write to the target .*--target$/)
    }
  })

  it('stays inside when a directory is swapped for a symbolic link between two calls', async () => {
    const outside = join(base, 'outside')
    fs.mkdirSync(outside)
    const target = open()
    await target.prepare()
    await target.makeDirectory([name('a'), name('b')], { replace: true })
    const file = await target.createFile([name('a'), name('b'), name('file')], 4)
    fs.renameSync(join(base, 'target/a/b'), join(base, 'target/a/moved'))
    fs.symlinkSync(outside, join(base, 'target/a/b'))
    await file.write(name('data'), 0)
    await file.commit(metadata)
    await writeFile(target, 'a/b/second', 'x')
    await target.setDirectoryMetadata([name('a'), name('b')], { ...metadata, mode: 0o700 })
    await target.close()
    const again = open()
    await again.prepare()
    await expectCode(again.createFile([name('a'), name('b'), name('third')], 1), 'failed-precondition')
    expect(await again.stat([name('a'), name('b'), name('third')])).to.equal(undefined)
    await again.close()
    expect(fs.readdirSync(outside)).to.deep.equal([])
    expect(fs.readdirSync(join(base, 'target/a/moved')).sort()).to.deep.equal(['file', 'second'])
    expect(fs.statSync(outside).mode & 0o777).to.not.equal(0o700)
  })

  it('replaces a symbolic link in the place of a directory and leaves what it points to alone', async () => {
    const outside = join(base, 'outside')
    fs.mkdirSync(outside)
    fs.mkdirSync(join(base, 'target'))
    fs.symlinkSync(outside, join(base, 'target/a'))
    const target = open()
    await target.prepare()
    await expectCode(target.makeDirectory([name('a'), name('b')], { replace: false }), 'already-exists')
    await target.makeDirectory([name('a'), name('b')], { replace: true })
    await target.close()
    expect(fs.readdirSync(outside)).to.deep.equal([])
    expect(fs.lstatSync(join(base, 'target/a')).isDirectory()).to.equal(true)
  })

  it('does not write through a symbolic link in the place of a file', async () => {
    fs.writeFileSync(join(base, 'precious'), 'precious')
    fs.mkdirSync(join(base, 'target'))
    fs.symlinkSync(join(base, 'precious'), join(base, 'target/file'))
    const target = open()
    await target.prepare()
    await expectCode(target.setFileMetadata([name('file')], metadata), 'failed-precondition')
    await writeFile(target, 'file', 'new')
    await target.close()
    expect(fs.readFileSync(join(base, 'precious'), 'utf8')).to.equal('precious')
    expect(fs.readFileSync(join(base, 'target/file'), 'utf8')).to.equal('new')
  })

  it('keeps holes as holes', async () => {
    const target = open()
    await target.prepare()
    const length = 5 * 1024 ** 3
    const file = await target.createFile([name('sparse')], length)
    await file.write(name('end'), length - 3)
    await file.commit(metadata)
    await target.close()
    const stats = fs.statSync(join(base, 'target/sparse'))
    expect(stats.size).to.equal(length)
    expect(stats.blocks * 512).to.be.below(1024 * 1024)
  })

  it('works below thousands of directories, with a path longer than the system takes', async () => {
    const depth = 1500
    const path = Array.from({ length: depth }, (_, index) => name(`directory-${index}`))
    const target = open()
    await target.prepare()
    for (let at = 1; at <= depth; at += 1) await target.makeDirectory(path.slice(0, at), { replace: false })
    const file = await target.createFile([...path, name('file')], 1)
    await file.write(name('x'), 0)
    await file.commit(metadata)
    await target.makeLink([...path, name('file')], [name('near')])
    await target.makeLink([name('near')], [...path, name('far')])
    for (let at = depth; at > 0; at -= 1)
      await target.setDirectoryMetadata(path.slice(0, at), { ...metadata, mode: 0o700 })
    expect((await target.stat([...path, name('far')]))?.size).to.equal(1)
    await target.close()
  })

  it('sets mode, owner and times exactly, set-user-id after the owner', async () => {
    expect((await loadFileTimes()).exact, 'the package koffi is installed').to.equal(true)
    const root = process.getuid?.() === 0
    const owner = root ? { uid: 1234, gid: 5678 } : { uid: metadata.uid, gid: metadata.gid }
    const target = open()
    await target.prepare()
    const exact = { ...owner, mode: 0o6751, mtimeNs: 1_234_567_890_987_654_321n }
    const file = await target.createFile([name('file')], 0)
    await file.commit(exact)
    await target.makeDirectory([name('directory')], { replace: false })
    await target.setDirectoryMetadata([name('directory')], { ...exact, mode: 0o1770 })
    await target.makeSymlink([name('link')], name('file'), exact)
    await target.close()
    const stat = (path: string): fs.BigIntStats => fs.lstatSync(join(base, 'target', path), { bigint: true })
    for (const path of ['file', 'directory', 'link']) {
      expect(stat(path).mtimeNs).to.equal(exact.mtimeNs)
      expect([stat(path).uid, stat(path).gid]).to.deep.equal([BigInt(owner.uid), BigInt(owner.gid)])
    }
    expect(Number(stat('file').mode) & 0o7777).to.equal(0o6751)
    expect(Number(stat('directory').mode) & 0o7777).to.equal(0o1770)
  })
})
