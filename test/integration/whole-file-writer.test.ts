import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { DirectoryHandles, rootFlags } from '../../src/client/directory-handles.ts'
import { packFiles, unpackFiles } from '../../src/client/file-batch.ts'
import { loadFileTimes } from '../../src/client/file-times.ts'
import { MetadataSetter } from '../../src/client/metadata-setter.ts'
import type { TargetPath } from '../../src/client/restore-target.ts'
import { loadUnnamedFiles } from '../../src/client/unnamed-files.ts'
import type { UnnamedFiles } from '../../src/client/unnamed-files.ts'
import { WholeFileWriter } from '../../src/client/whole-file-writer.ts'
import { WritingThreads, writingThreadsDefault } from '../../src/client/writing-threads.ts'
import { expectCode } from '../contract/restore-target.contract.ts'

const names = (path: string): TargetPath => path.split('/').map((name) => Buffer.from(name))
const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
const metadata = { ...self, mode: 0o640, mtimeNs: 1_234_567_890_987_654_321n }

describe('WholeFileWriter', () => {
  let base: string
  let handles: DirectoryHandles
  beforeEach(() => {
    base = fs.mkdtempSync(join(tmpdir(), 'twofold-whole-'))
    fs.mkdirSync(join(base, 'a'))
    fs.mkdirSync(join(base, 'directory'))
    handles = new DirectoryHandles(fs.openSync(base, rootFlags), 8)
  })
  afterEach(() => {
    handles.close()
    fs.rmSync(base, { recursive: true })
  })

  /** Writes some files, one of which has a directory's name, and says what came of each. */
  async function write(unnamed: UnnamedFiles | undefined): Promise<(string | undefined)[]> {
    let temporaries = 0
    const writer = new WholeFileWriter({
      handles,
      metadata: new MetadataSetter(await loadFileTimes()),
      unnamed,
      temporaryName: () => Buffer.from(`.twofold-${(temporaries += 1)}.tmp`),
    })
    fs.writeFileSync(join(base, 'a/taken'), 'something longer')
    const paths = ['a/new', 'a/taken', 'directory', 'top']
    const files = paths.map((path, index) => ({ path: names(path), offset: index, length: 2, metadata }))
    const errors = writer.write(unpackFiles(Buffer.from('01234'), packFiles(files)))
    return errors.map((error) => error?.code)
  }

  const expected = [undefined, undefined, 'failed-precondition', undefined]

  function expectFiles(): void {
    const contents = ['a/new', 'a/taken', 'top'].map((path) => fs.readFileSync(join(base, path), 'utf8'))
    expect(contents).to.deep.equal(['01', '12', '34'])
    const stats = fs.statSync(join(base, 'a/taken'), { bigint: true })
    expect([Number(stats.mode) & 0o7777, stats.mtimeNs]).to.deep.equal([0o640, metadata.mtimeNs])
    const left = [...fs.readdirSync(base), ...fs.readdirSync(join(base, 'a'))].sort()
    expect(left).to.deep.equal(['a', 'directory', 'new', 'taken', 'top'])
  }

  it('writes files without a name until they are whole', async () => {
    const unnamed = await loadUnnamedFiles()
    expect(unnamed, 'the package koffi is installed').to.not.equal(undefined)
    expect(await write(unnamed)).to.deep.equal(expected)
    expectFiles()
  })

  it('gives them a temporary name where there are no unnamed ones', async () => {
    expect(await write(undefined)).to.deep.equal(expected)
    expectFiles()
  })

  it('asks only once whether there are unnamed ones', async () => {
    let asked = 0
    const open = (): undefined => void (asked += 1)
    expect(await write({ open, name: () => 'refused' } as unknown as UnnamedFiles)).to.deep.equal(expected)
    expect(asked).to.equal(1)
    expectFiles()
  })

  it('writes again what the system refuses to give a name', async () => {
    const real = (await loadUnnamedFiles()) as UnnamedFiles
    const refusing = { open: (directory: number) => real.open(directory), name: () => 'refused' }
    expect(await write(refusing as unknown as UnnamedFiles)).to.deep.equal(expected)
    expectFiles()
  })

  it('closes every file, whatever becomes of it', async () => {
    await write(await loadUnnamedFiles())
    const before = fs.readdirSync('/proc/self/fd').length
    await write(await loadUnnamedFiles())
    await write(undefined)
    expect(fs.readdirSync('/proc/self/fd').length).to.equal(before)
  })
})

describe('FileBatch', () => {
  it('gives back what it was made of', () => {
    const odd = [Buffer.from([0xff, 0xfe]), Buffer.from('new\nline')]
    const paths: TargetPath[] = [names('a/b/c'), names('a/b/d'), odd, names('top'), names('a/b/e')]
    const files = paths.map((path, index) => {
      const numbers = { mode: 0o7000 + index, uid: 2 ** 32 - 2 - index, gid: index }
      return { path, offset: index, length: 1, metadata: { ...numbers, mtimeNs: -1n - BigInt(index) } }
    })
    const content = Buffer.from('vwxyz')
    const unpacked = [...unpackFiles(content, packFiles(files))]
    expect(unpacked.map(({ directory, name }) => [...directory, name])).to.deep.equal(paths)
    expect(unpacked.map(({ data }) => Buffer.from(data).toString())).to.deep.equal([...'vwxyz'])
    expect(unpacked.map((file) => file.metadata)).to.deep.equal(files.map((file) => file.metadata))
    expect(unpacked[0]?.directory).to.equal(unpacked[1]?.directory)
  })
})

describe('WritingThreads', () => {
  const data = { root: '/', mark: 'x', directoriesOpenMax: 1 }
  const order = [Buffer.from('x'), packFiles([])] as const

  it('are one less than processors, within bounds, unless somebody says otherwise', () => {
    expect([1, 2, 3, 4, 5, 64].map((processors) => writingThreadsDefault(processors))).to.deep.equal([1, 1, 2, 3, 4, 4])
  })

  it('fails what a thread that died was asked to do, and everything after that', async () => {
    const dying = `require('node:worker_threads').parentPort.once('message', () => { throw new Error('dead') })`
    const threads = new WritingThreads(1, data, () => new Worker(dying, { eval: true }))
    const asked = [threads.write(...order), threads.write(...order)]
    for (const answer of asked) await expectCode(answer, 'internal')
    await expectCode(threads.write(...order), 'internal')
    await threads.close()
  })

  it('gives work to the thread that has least to do', async () => {
    const slow = `const { parentPort, workerData } = require('node:worker_threads')
      parentPort.on('message', (order) => {
        if (order === undefined) parentPort.close()
        else if (workerData.mark !== 'x0-') parentPort.postMessage([])
      })`
    const threads = new WritingThreads(2, data, (workerData) => new Worker(slow, { eval: true, workerData }))
    const stuck = threads.write(...order)
    for (let count = 0; count < 3; count += 1) expect(await threads.write(...order)).to.deep.equal([])
    await threads.close()
    await expectCode(stuck, 'internal')
  })
})
