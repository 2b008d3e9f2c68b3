import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { TwofoldError } from '../../src/core/errors.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemRandom } from '../../src/system/random.ts'
import { loadFileTimes } from '../../src/client/file-times.ts'
import type { RestoreRequest, RestoreSummary } from '../../src/client/restore-request.ts'
import { SourceDisk } from '../../src/client/source-disk.ts'
import type { TargetPath } from '../../src/client/restore-target.ts'
import { TargetDisk } from '../../src/client/target-disk.ts'
import { expectError } from '../support/expect-error.ts'
import { joined, RestoreBench } from '../support/restore-bench.ts'

interface Described {
  readonly [field: string]: unknown
  readonly mtimeNs: bigint
}

const asRoot = process.getuid?.() === 0

describe('from disk to disk', function () {
  let base: string
  let source: string
  let out: string
  let bench: RestoreBench
  let toleranceNs: bigint

  before(async () => (toleranceNs = (await loadFileTimes()).exact ? 0n : 500n))
  beforeEach(async () => {
    base = fs.mkdtempSync(join(tmpdir(), 'twofold-restore-'))
    source = join(base, 'source')
    out = join(base, 'out')
    fs.mkdirSync(source)
    bench = await RestoreBench.start(systemClock)
  })
  afterEach(() => execFileSync('rm', ['-rf', base]))

  const backup = (): ReturnType<RestoreBench['backup']> =>
    bench.client.backup({ source: new SourceDisk(systemClock), paths: [Buffer.from(source)] })
  const restore = (request: Partial<RestoreRequest> = {}): Promise<RestoreSummary> => {
    const target = new TargetDisk(out, { random: systemRandom, clock: systemClock })
    return bench.restore(target, { reference: `latest:${source}`, ...request })
  }

  /** One line for each entry: everything that must come back. */
  const describeTree = (root: string): Map<string, Described> => {
    const found = new Map<string, Described>()
    const first = new Map<bigint, string>()
    const visit = (path: Buffer): void => {
      const stats = fs.lstatSync(path, { bigint: true })
      const name = path.toString('latin1').slice(root.length)
      const linked = stats.isFile() && stats.nlink > 1n ? (first.get(stats.ino) ?? name) : undefined
      if (linked === name) first.set(stats.ino, name)
      found.set(name, {
        mode: Number(stats.mode).toString(8),
        owner: asRoot ? `${stats.uid}:${stats.gid}` : '',
        size: stats.isDirectory() ? 0n : stats.size,
        linked,
        target: stats.isSymbolicLink() ? fs.readlinkSync(path, 'latin1') : undefined,
        content: stats.isFile() && stats.size < 1e8 ? fs.readFileSync(path, 'latin1') : undefined,
        mtimeNs: stats.mtimeNs,
      })
      if (!stats.isDirectory()) return
      for (const child of fs.readdirSync(path, { encoding: 'buffer' }))
        visit(Buffer.concat([path, Buffer.from('/'), child]))
    }
    visit(Buffer.from(root))
    return found
  }

  const expectSame = (one: string, other: string): void => {
    const [before, after] = [describeTree(one), describeTree(other)]
    // The top directory itself is not restored into a target, only what is in it.
    before.delete('')
    after.delete('')
    expect([...after.keys()].sort()).to.deep.equal([...before.keys()].sort())
    for (const [name, { mtimeNs, ...was }] of before) {
      const { mtimeNs: restoredNs, ...is } = after.get(name) ?? { mtimeNs: undefined }
      expect(is, name).to.deep.equal(was)
      const apart = mtimeNs - (restoredNs ?? 0n)
      expect(apart <= toleranceNs && apart >= -toleranceNs, name).to.equal(true)
    }
  }

  const makeOddTree = (): void => {
    const at = (...names: (string | Buffer)[]): Buffer =>
      Buffer.concat([Buffer.from(source), ...names.flatMap((name) => [Buffer.from('/'), Buffer.from(name)])])
    fs.mkdirSync(at('deep'))
    fs.mkdirSync(at('deep', 'empty'))
    fs.writeFileSync(at('deep', 'file'), bench.content(3_000_000))
    fs.writeFileSync(at('none'), '')
    fs.writeFileSync(at(Buffer.from([0xff, 0xfe, 0x80])), 'not UTF-8')
    fs.writeFileSync(at('two\nlines'), 'newline')
    fs.writeFileSync(at('n'.repeat(255)), 'long')
    fs.writeFileSync(at('ünï-cödé'), 'text')
    fs.writeFileSync(at('a'), 'linked')
    fs.linkSync(at('a'), at('deep', 'b'))
    fs.linkSync(at('a'), at('z'))
    fs.symlinkSync('nowhere', at('dangling'))
    fs.symlinkSync(Buffer.from([0x2e, 0x2e, 0x2f, 0xff]), at('odd'))
    fs.symlinkSync('t'.repeat(2000), at('far'))
    fs.writeFileSync(at('suid'), 'x')
    if (asRoot) fs.chownSync(at('suid'), 1234, 4321)
    fs.chmodSync(at('suid'), 0o6755)
    fs.writeFileSync(at('locked'), 'x')
    fs.chmodSync(at('locked'), 0o000)
    fs.chmodSync(at('deep', 'empty'), 0o1511)
    if (!asRoot) fs.chmodSync(at('locked'), 0o400)
    fs.lutimesSync(at('dangling'), 1_000_000_000.25, 1_000_000_000.25)
    fs.utimesSync(at('none'), 1_234_567_890.987654, 1_234_567_890.987654)
    fs.utimesSync(at('a'), new Date(-86_400_500), new Date(-86_400_500))
    fs.utimesSync(at('deep', 'empty'), 1.5, 1.5)
    fs.utimesSync(at('deep'), 2.25, 2.25)
  }

  it('brings back a tree of everything, exactly', async () => {
    makeOddTree()
    expect(await backup()).to.include({ problems: 0 })
    const summary = await restore({ verify: true })
    expect(bench.problems()).to.deep.equal([])
    expect(summary).to.include({ problems: 0, hardLinks: 2 })
    expectSame(source, out)
  })

  it('can be run again over what is there, in every mode', async () => {
    makeOddTree()
    await backup()
    for (const overwrite of ['always', 'always', 'if-changed', 'never'] as const) {
      expect(await restore({ overwrite }), overwrite).to.include({ problems: 0 })
      expectSame(source, out)
    }
  })

  it('recreates the absolute path below the target', async () => {
    makeOddTree()
    await backup()
    await restore({ reference: 'latest' })
    expectSame(source, join(out, source))
    const { mode } = fs.statSync(base)
    expect(fs.statSync(join(out, base)).mode).to.equal(mode)
  })

  it('keeps a file of more than 4 GiB sparse', async () => {
    const path = join(source, 'sparse')
    const descriptor = fs.openSync(path, 'w')
    const marks: [number, string][] = [
      [0, 'begin'],
      [4 * 1024 ** 3 + 12_345, 'middle'],
      [5 * 1024 ** 3 - 3, 'end'],
    ]
    for (const [offset, mark] of marks) fs.writeSync(descriptor, mark, offset)
    fs.closeSync(descriptor)
    await backup()
    await restore()
    const restored = fs.openSync(join(out, 'sparse'), 'r')
    for (const [offset, mark] of marks) {
      const read = Buffer.alloc(mark.length)
      fs.readSync(restored, read, 0, read.length, offset)
      expect(read.toString()).to.equal(mark)
    }
    const stats = fs.fstatSync(restored)
    fs.closeSync(restored)
    expect(stats.size).to.equal(5 * 1024 ** 3)
    expect(stats.blocks * 512).to.be.below(16 * 1024 ** 2)
  })

  it('writes nothing outside when a directory is swapped for a symbolic link under it', async () => {
    const outside = join(base, 'outside')
    fs.mkdirSync(outside)
    for (let index = 0; index < 20; index++) {
      fs.mkdirSync(join(source, `d${index}`, 'inner'), { recursive: true })
      // The first few are too long for one chunk and are written in pieces, the others come as a whole.
      fs.writeFileSync(join(source, `d${index}`, 'inner', 'file'), bench.content(index < 3 ? 4_500_000 : 50_000))
    }
    await backup()
    const target = new TargetDisk(out, { random: systemRandom, clock: systemClock })
    const createFile = target.createFile.bind(target)
    const writeFiles = target.writeFiles.bind(target)
    const swapped = { createFile: 0, writeFiles: 0 }
    const attack = (path: TargetPath, by: keyof typeof swapped): void => {
      // Whoever attacks has the best moment: after the directory was made, before the file is.
      const victim = join(out, Buffer.from(path[0] ?? '').toString())
      if (swapped[by] >= 8 || !fs.lstatSync(victim).isDirectory()) return
      fs.renameSync(victim, `${victim}.away`)
      fs.symlinkSync(outside, victim)
      fs.mkdirSync(join(outside, 'inner'), { recursive: true })
      swapped[by] += 1
    }
    target.createFile = async (path, length) => {
      attack(path, 'createFile')
      return createFile(path, length)
    }
    target.writeFiles = async (content, files) => {
      for (const { path } of files) attack(path, 'writeFiles')
      return writeFiles(content, files)
    }
    await bench.restore(target, { reference: `latest:${source}` })
    expect(swapped).to.deep.equal({ createFile: 3, writeFiles: 8 })
    expect(fs.readdirSync(join(outside, 'inner'))).to.deep.equal([])
    expect(fs.readdirSync(outside)).to.deep.equal(['inner'])
  })

  it('leaves only whole files when it is cancelled, and completes when run again', async () => {
    for (let index = 0; index < 30; index++) fs.writeFileSync(join(source, `f${index}`), bench.content(700_000))
    await backup()
    const controller = new AbortController()
    const target = new TargetDisk(out, { random: systemRandom, clock: systemClock })
    const onEvent = (event: { type: string }): void => {
      if (event.type === 'file') controller.abort(new TwofoldError('cancelled', 'enough'))
    }
    const request = { reference: `latest:${source}`, target }
    await expectError(bench.client.restore(request, { signal: controller.signal, onEvent }), 'cancelled')
    const mark = /^\.twofold-restore-[0-9a-f]{16}$/
    const there = fs.readdirSync(out).filter((name) => !mark.test(name))
    expect(there.length).to.be.within(1, 29)
    expect(fs.readdirSync(out).filter((name) => mark.test(name))).to.have.lengthOf(1)
    for (const name of there) {
      expect(name).to.match(/^f\d+$/)
      expect(fs.readFileSync(join(out, name)).equals(fs.readFileSync(join(source, name))), name).to.equal(true)
    }
    const summary = await restore()
    expect(summary.problems).to.equal(0)
    // What was written in the very tick of the clock in which it began is not told from what was there before.
    expect(summary.filesResumed).to.be.within(Math.max(0, there.length - 10), there.length)
    expect(fs.readdirSync(out).filter((name) => name.startsWith('.'))).to.deep.equal([])
    expectSame(source, out)
  })

  it('ends with a clear error when the disk is full', async function () {
    if (!asRoot) return
    fs.writeFileSync(join(source, 'a'), bench.content(3_000_000))
    fs.writeFileSync(join(source, 'b'), bench.content(3_000_000))
    await backup()
    fs.mkdirSync(out)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', out])
    try {
      await expectError(restore(), 'no-room')
      const left = fs.readdirSync(out).filter((name) => !name.startsWith('.twofold-restore-'))
      expect(left.length).to.be.at.most(1)
      for (const name of left) expect(fs.statSync(join(out, name)).size).to.equal(3_000_000)
    } finally {
      execFileSync('umount', [out])
    }
  })

  it('dumps a folder as an archive that tar understands', async () => {
    makeOddTree()
    await backup()
    const { kind, content } = await bench.client.dump(`latest:${source}`, Buffer.from('/'))
    expect(kind).to.equal('tar')
    fs.mkdirSync(out)
    execFileSync('tar', ['-xpf', '-', '-C', out], { input: await joined(content), maxBuffer: 1e8 })
    // The archive has the paths of the snapshot.
    expectSame(source, join(out, source))
  })
})
