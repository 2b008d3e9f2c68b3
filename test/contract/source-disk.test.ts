import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TwofoldError } from '../../src/core/errors.ts'
import { SourceConfined } from '../../src/client/source-confined.ts'
import { SourceDisk } from '../../src/client/source-disk.ts'
import { SourceThreaded } from '../../src/client/source-threaded.ts'
import { joinPath } from '../../src/client/source-tree.ts'
import { systemClock } from '../../src/system/clock.ts'
import { expectError } from '../support/expect-error.ts'
import { sourceTreeContract } from './source-tree.contract.ts'
import type { SourceStage } from './source-tree.contract.ts'

function stageOf(source: SourceDisk): SourceStage {
  const root = Buffer.from(fs.mkdtempSync(join(tmpdir(), 'twofold-source-')))
  const at = (path: string | Uint8Array): Buffer => joinPath(root, Buffer.from(path as string))
  return {
    source,
    root,
    directory: (path) => void fs.mkdirSync(at(path), { recursive: true }),
    file: (path, content) => fs.writeFileSync(at(path), content),
    symlink: (path, target) => fs.symlinkSync(target, at(path)),
    link: (existing, path) => fs.linkSync(at(existing), at(path)),
    fifo: (path) => void execFileSync('mkfifo', [at(path).toString()]),
    close: () => fs.rmSync(root, { recursive: true }),
  }
}

sourceTreeContract('SourceDisk', () => stageOf(new SourceDisk(systemClock)))
sourceTreeContract('SourceConfined', () => stageOf(new SourceConfined(systemClock)))

describe('a listing thread', () => {
  const source = new SourceThreaded(systemClock)
  after(() => source.giveBackThreads())

  sourceTreeContract('SourceThreaded', () => stageOf(source))

  it('lists what is asked for at once, in any order, and keeps the words of the system', async () => {
    const root = fs.mkdtempSync(join(tmpdir(), 'twofold-source-'))
    for (let number = 0; number < 30; number++) {
      fs.mkdirSync(join(root, `${number}`))
      for (let file = 0; file < number * 5; file++) fs.writeFileSync(join(root, `${number}`, `f${file}`), '')
    }
    const asked = Array.from({ length: 31 }, (_, number) => source.list(Buffer.from(join(root, `${number}`))))
    const results = await Promise.allSettled(asked)
    fs.rmSync(root, { recursive: true })
    const counts = results.map((result) =>
      result.status === 'fulfilled' ? result.value.count : (result.reason as unknown),
    )
    expect(counts.slice(0, 30)).to.deep.equal(Array.from({ length: 30 }, (_, number) => number * 5))
    expect(counts[30]).to.include({ code: 'not-found', message: 'it vanished' })
    expect((counts[30] as TwofoldError).cause).to.be.instanceOf(Error)
  })

  it('goes on without the thread when that is given back, also with what it owed', async () => {
    const root = fs.mkdtempSync(join(tmpdir(), 'twofold-source-'))
    fs.writeFileSync(join(root, 'file'), '')
    const threaded = new SourceThreaded(systemClock)
    const asked = [1, 2, 3].map(() => threaded.list(Buffer.from(root)))
    await threaded.giveBackThreads()
    asked.push(threaded.list(Buffer.from(root)))
    expect((await Promise.all(asked)).map(({ count }) => count)).to.deep.equal([1, 1, 1, 1])
    fs.rmSync(root, { recursive: true })
    await expectError(threaded.list(Buffer.from(root)), 'not-found')
  })
})

describe('a confined source', () => {
  let root: string
  const source = new SourceConfined(systemClock)
  const at = (path: string): Buffer => Buffer.from(join(root, path))

  beforeEach(() => {
    root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-source-')))
    fs.mkdirSync(join(root, 'allowed/sub/deep'), { recursive: true })
    fs.mkdirSync(join(root, 'secret/deep'), { recursive: true })
    for (const folder of ['allowed/sub', 'secret']) fs.writeFileSync(join(root, folder, 'file'), folder)
    fs.writeFileSync(join(root, 'secret/deep/file'), 'deep secret')
    fs.symlinkSync('file', join(root, 'secret/link'))
  })
  afterEach(() => fs.rmSync(root, { recursive: true }))

  it('reaches nothing through a folder that was replaced by a symbolic link, however deep', async () => {
    fs.rmSync(join(root, 'allowed/sub'), { recursive: true })
    fs.symlinkSync(join(root, 'secret'), join(root, 'allowed/sub'))
    for (const path of ['allowed/sub', 'allowed/sub/deep']) {
      const error = await expectError(source.list(at(path)), 'io')
      expect(error.message).to.contain('symbolic link')
    }
    await expectError(source.readSmall(at('allowed/sub/file'), Buffer.alloc(100)), 'io')
    await expectError(source.readSmall(at('allowed/sub/deep/file'), Buffer.alloc(100)), 'io')
    await expectError(source.open(at('allowed/sub/file')), 'io')
    await expectError(source.stat(at('allowed/sub/file')), 'io')
    await expectError(source.readLink(at('allowed/sub/link')), 'io')
    // The same source without confinement follows: that is what this one is for.
    expect(await new SourceDisk(systemClock).list(at('allowed/sub'))).to.have.property('count', 3)
  })

  it('leaves no file descriptor open', async () => {
    const before = fs.readdirSync('/proc/self/fd').length
    await source.list(at('allowed/sub'))
    await source.readSmall(at('allowed/sub/file'), Buffer.alloc(100))
    await (await source.open(at('allowed/sub/file'))).close()
    await expectError(source.list(at('nothing')), 'not-found')
    expect(fs.readdirSync('/proc/self/fd').length).to.equal(before)
  })
})
