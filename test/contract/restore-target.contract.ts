import { expect } from 'chai'
import { isTwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import type { SnapshotId } from '../../src/core/ids.ts'
import type { RestoreTarget, TargetMetadata, TargetPath } from '../../src/client/restore-target.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const names = (path: string): TargetPath => path.split('/').map((name) => Buffer.from(name))
const metadata = (fields: Partial<TargetMetadata> = {}): TargetMetadata => {
  return { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_700_000_000_500_000_000n, ...fields }
}

export async function expectCode(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isTwofoldError(error, code)) expect.fail(`expected ${code}, got ${String(error)}`)
}

export async function readAll(target: RestoreTarget, path: string): Promise<string> {
  const into = Buffer.alloc(1 << 20)
  return into.subarray(0, await target.readFile(names(path), into, 0)).toString()
}

export async function writeFile(target: RestoreTarget, path: string, content: string): Promise<void> {
  const file = await target.createFile(names(path), content.length)
  await file.write(Buffer.from(content), 0)
  await file.commit(metadata())
}

/** What every `RestoreTarget` keeps to. `make` gives a fresh one whose root does not exist yet. */
export function restoreTargetContract(make: () => RestoreTarget): void {
  let target: RestoreTarget
  beforeEach(async () => {
    target = make()
    await target.prepare()
  })
  afterEach(() => target.close())

  it('knows nothing of what is not there', async () => {
    expect(await target.stat(names('nothing'))).to.equal(undefined)
    expect(await target.stat(names('no/such/way'))).to.equal(undefined)
    await expectCode(target.readFile(names('nothing'), Buffer.alloc(1), 0), 'not-found')
  })

  it('makes a directory with those above it, again without harm', async () => {
    expect(await target.makeDirectory(names('a/b/c'), { replace: false })).to.equal(true)
    expect(await target.makeDirectory(names('a/b/c'), { replace: false })).to.equal(false)
    expect(await target.makeDirectory(names('a/b'), { replace: true })).to.equal(false)
    expect((await target.stat(names('a/b')))?.type).to.equal('directory')
    await target.setDirectoryMetadata(names('a/b'), metadata({ mode: 0o750 }))
    expect((await target.stat(names('a/b')))?.mtimeNs).to.equal(1_700_000_000_500_000_000n)
  })

  it('shows a file only when it is committed, with its metadata', async () => {
    const file = await target.createFile(names('file'), 8)
    await file.write(Buffer.from('efgh'), 4)
    await file.write(Buffer.from('abcd'), 0)
    expect(await target.stat(names('file'))).to.equal(undefined)
    await file.commit(metadata())
    const stat = await target.stat(names('file'))
    expect(stat).to.include({ type: 'file', size: 8, mtimeNs: 1_700_000_000_500_000_000n })
    expect(await readAll(target, 'file')).to.equal('abcdefgh')
  })

  it('puts a large file together from long slices in any order', async () => {
    const content = Buffer.from(new SeededRandom(5).bytes(3_000_001))
    const ends = [300_000, 1_700_000, 2_400_000, content.length]
    const file = await target.createFile(names('large'), content.length)
    for (const at of [2, 0, 3, 1]) {
      const start = ends[at - 1] ?? 0
      await file.write(content.subarray(start, ends[at]), start)
    }
    await file.commit(metadata())
    const there = Buffer.alloc(content.length + 1)
    expect(await target.readFile(names('large'), there, 0)).to.equal(content.length)
    expect(there.subarray(0, content.length).equals(content)).to.equal(true)
  })

  it('fills with zeros what is not written', async () => {
    const file = await target.createFile(names('file'), 6)
    await file.write(Buffer.from('x'), 2)
    await file.commit(metadata())
    expect(await readAll(target, 'file')).to.equal('\0\0x\0\0\0')
  })

  it('leaves nothing of a file that is discarded', async () => {
    const file = await target.createFile(names('file'), 4)
    await file.write(Buffer.from('abcd'), 0)
    await file.discard()
    await file.discard()
    expect(await target.stat(names('file'))).to.equal(undefined)
  })

  it('knows since when a restore goes on that was not finished, and nobody else', async () => {
    const thing = { snapshotId: 'ab'.repeat(32) as SnapshotId, path: Buffer.from('/'), overwrite: 'always' } as const
    expect(await target.begin(thing)).to.equal(undefined)
    const sinceNs = (await target.begin(thing)) ?? 0n
    for (let number = 0, later = false; !later; number++) {
      await writeFile(target, `f${number}`, 'x')
      later = ((await target.stat(names(`f${number}`)))?.ctimeNs ?? 0n) > sinceNs
    }
    expect(await target.begin({ ...thing, path: Buffer.from('/sub') }), 'another folder').to.equal(undefined)
    await target.begin(thing)
    expect(await target.begin(thing)).to.be.greaterThan(sinceNs as never)
    await target.finish()
    expect(await target.begin(thing), 'after it was finished').to.equal(undefined)
    await target.finish()
  })

  it('makes many files of one content, also over existing ones', async () => {
    await target.makeDirectory(names('a/b'), { replace: false })
    await target.makeDirectory(names('c'), { replace: false })
    await writeFile(target, 'c/2', 'old')
    await target.makeSymlink(names('c/3'), Buffer.from('2'), metadata())
    const paths = ['a/b/0', 'a/1', 'c/2', 'c/3', '4']
    const files = paths.map((path, index) => {
      return { path: names(path), offset: index, length: index, metadata: metadata({ mtimeNs: BigInt(index) }) }
    })
    const errors = await target.writeFiles(Buffer.from('0123456789'), files)
    expect(errors).to.deep.equal(paths.map(() => undefined))
    const contents = await Promise.all(paths.map((path) => readAll(target, path)))
    expect(contents).to.deep.equal(['', '1', '23', '345', '4567'])
    for (const [index, path] of paths.entries()) {
      expect(await target.stat(names(path))).to.include({ type: 'file', size: index, mtimeNs: BigInt(index) })
    }
  })

  it('says of each of many files why it could not be made', async () => {
    await target.makeDirectory(names('directory'), { replace: false })
    await target.makeDirectory(names('real'), { replace: false })
    await target.makeSymlink(names('link'), Buffer.from('real'), metadata())
    const paths = ['good', 'directory', 'missing/file', '../outside', 'link/file', 'better']
    const files = paths.map((path) => ({ path: names(path), offset: 0, length: 1, metadata: metadata() }))
    const errors = await target.writeFiles(Buffer.alloc(100_000, 'x'), files)
    const codes = [undefined, 'failed-precondition', 'not-found', 'integrity', 'failed-precondition', undefined]
    expect(errors.map((error) => error?.code)).to.deep.equal(codes)
    expect([await readAll(target, 'good'), await readAll(target, 'better')]).to.deep.equal(['x', 'x'])
    expect(await target.stat(names('real/file'))).to.equal(undefined)
  })

  it('replaces a file and a symbolic link, but no directory', async () => {
    await writeFile(target, 'a', 'old')
    await target.makeSymlink(names('b'), Buffer.from('a'), metadata())
    await target.makeDirectory(names('c'), { replace: false })
    await writeFile(target, 'a', 'new')
    await writeFile(target, 'b', 'file')
    expect(await readAll(target, 'a')).to.equal('new')
    expect(await readAll(target, 'b')).to.equal('file')
    await expectCode(writeFile(target, 'c', 'file'), 'failed-precondition')
    expect((await target.stat(names('c')))?.type).to.equal('directory')
  })

  it('puts a directory in the place of something else only when told to', async () => {
    await writeFile(target, 'a', 'file')
    await expectCode(target.makeDirectory(names('a/b'), { replace: false }), 'already-exists')
    expect(await readAll(target, 'a')).to.equal('file')
    expect(await target.makeDirectory(names('a/b'), { replace: true })).to.equal(true)
    expect((await target.stat(names('a/b')))?.type).to.equal('directory')
  })

  it('makes symbolic links to anything, and replaces them', async () => {
    await target.makeSymlink(names('link'), Buffer.from('/nowhere'), metadata())
    await target.makeSymlink(names('link'), Buffer.from([0x66, 0xff, 0x0a]), metadata())
    const stat = await target.stat(names('link'))
    expect(stat).to.include({ type: 'symlink', size: 3, mtimeNs: 1_700_000_000_500_000_000n })
    await expectCode(target.readFile(names('link'), Buffer.alloc(1), 0), 'failed-precondition')
  })

  it('gives a file a further name, also over an existing one', async () => {
    await writeFile(target, 'a', 'content')
    await writeFile(target, 'c', 'other')
    await target.makeLink(names('a'), names('b'))
    await target.makeLink(names('a'), names('c'))
    await target.makeLink(names('a'), names('c'))
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => target.stat(names(name))))
    expect(b?.identity).to.equal(a?.identity)
    expect(c?.identity).to.equal(a?.identity)
    await expectCode(target.makeLink(names('nothing'), names('d')), 'not-found')
  })

  it('sets the metadata of a file that stays', async () => {
    await writeFile(target, 'a', 'content')
    await target.setFileMetadata(names('a'), metadata({ mtimeNs: -1_500_000_000n }))
    expect((await target.stat(names('a')))?.mtimeNs).to.equal(-1_500_000_000n)
    expect(await readAll(target, 'a')).to.equal('content')
  })

  it('lists a directory, and removes what is in it one by one', async () => {
    await writeFile(target, 'd', 'x')
    await target.remove(names('d'))
    await target.makeDirectory(names('d/e'), { replace: false })
    await writeFile(target, 'd/f', 'x')
    await target.makeSymlink(names('d/l'), Buffer.from('e'), metadata())
    const listed = async (path: TargetPath): Promise<string[]> =>
      (await target.list(path)).map((name) => Buffer.from(name).toString()).sort()
    expect(await listed(names('d'))).to.deep.equal(['e', 'f', 'l'])
    expect(await listed([])).to.deep.equal(['d'])
    await expectCode(target.remove(names('d')), 'failed-precondition')
    for (const path of ['d/l', 'd/f', 'd/e', 'd/e']) await target.remove(names(path))
    expect(await listed(names('d'))).to.deep.equal([])
    await target.remove(names('d'))
    expect(await target.stat(names('d'))).to.equal(undefined)
  })

  it('lists nothing that is not there or no directory', async () => {
    await expectCode(target.list(names('nothing')), 'not-found')
    await target.makeDirectory(names('real'), { replace: false })
    await target.makeSymlink(names('link'), Buffer.from('real'), metadata())
    await expectCode(target.list(names('link')), 'failed-precondition')
  })

  it('refuses names that lead elsewhere', async () => {
    for (const name of ['..', '.', '', 'a/b', '/etc', 'a\0b', 'x'.repeat(256)]) {
      const path = [Buffer.from(name)]
      await expectCode(target.createFile(path, 1), 'integrity')
      await expectCode(target.makeDirectory([...path, Buffer.from('x')], { replace: true }), 'integrity')
      await expectCode(target.makeSymlink(path, Buffer.from('x'), metadata()), 'integrity')
      await expectCode(target.makeLink(names('a'), path), 'integrity')
      await expectCode(target.stat(path), 'integrity')
    }
  })

  it('does not go through a symbolic link', async () => {
    await target.makeDirectory(names('real'), { replace: false })
    await target.makeSymlink(names('link'), Buffer.from('real'), metadata())
    await expectCode(target.createFile(names('link/file'), 1), 'failed-precondition')
    await expectCode(target.setDirectoryMetadata(names('link'), metadata()), 'failed-precondition')
    expect(await target.stat(names('real/file'))).to.equal(undefined)
  })

  it('takes any name that a file system takes', async () => {
    const odd = [Buffer.from([0xff, 0xfe]), Buffer.from('new\nline'), Buffer.alloc(255, 'x'), Buffer.from(' ')]
    for (const name of odd) {
      const file = await target.createFile([name], 1)
      await file.write(Buffer.from('y'), 0)
      await file.commit(metadata())
      expect((await target.stat([name]))?.size).to.equal(1)
    }
  })

  it('has hundreds of files open at once, as far as its user can see', async () => {
    const files = await Promise.all(Array.from({ length: 400 }, (_, index) => target.createFile(names(`f${index}`), 2)))
    for (const [index, file] of files.entries()) await file.write(Buffer.from(String(index % 10)), 0)
    for (const file of files) await file.write(Buffer.from('!'), 1)
    for (const file of files) await file.commit(metadata())
    expect(await readAll(target, 'f17')).to.equal('7!')
    expect(await readAll(target, 'f399')).to.equal('9!')
  })
}
