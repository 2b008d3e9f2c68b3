import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { DiskFile } from '../../../src/core/disk.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { stagedFilesMax, stagingBytes } from '../../../src/core/limits.ts'
import { DirectFile } from '../../../src/system/direct-file.ts'
import { StagingMemory } from '../../../src/system/staging-memory.ts'
import { expectError } from '../../support/expect-error.ts'

/** The way through the cache: notes what goes there, and fails when it is told to. */
class NotedFile implements DiskFile {
  readonly writes: [offset: number, length: number][] = []
  readonly #handle: FileHandle
  failure: Error | undefined

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(data: Uint8Array, offset: number): Promise<void> {
    if (data.length === 0) return
    if (this.failure !== undefined) throw this.failure
    this.writes.push([offset, data.length])
    await this.#handle.write(data, 0, data.length, offset)
  }

  async read(target: Uint8Array, offset: number): Promise<number> {
    return (await this.#handle.read(target, 0, target.length, offset)).bytesRead
  }

  async length(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  sync(): Promise<void> {
    return this.#handle.sync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Memory that begins where no page does: every disk refuses it. */
function crookedMemory(): Pick<StagingMemory, 'take' | 'giveBack'> {
  const piece = (): Uint8Array => new Uint8Array(new ArrayBuffer(2 * stagingBytes), 8, stagingBytes)
  return { take: () => [piece(), piece()], giveBack: () => undefined }
}

describe('a file that is written around the cache', () => {
  let directory: string
  let path: string
  let cached: NotedFile
  let staging: StagingMemory
  beforeEach(async function () {
    directory = await mkdtemp(join(tmpdir(), 'twofold-direct-'))
    path = join(directory, 'file')
    cached = new NotedFile(await open(path, 'wx+'))
    staging = new StagingMemory()
    const first = await make()
    // Some file systems, in memory or over a network, have no such way.
    if (first === cached) this.skip()
  })
  afterEach(async () => {
    // Some have failed, and say so once more; several have the same file behind them.
    for (const file of made.splice(0)) await file.close().catch(() => undefined)
    await cached.close().catch(() => undefined)
    await rm(directory, { recursive: true })
  })

  const made: DiskFile[] = []
  async function make(memory: Pick<StagingMemory, 'take' | 'giveBack'> = staging): Promise<DiskFile> {
    const file = await DirectFile.create({ cached, path, name: 'file', staging: memory })
    made.push(file)
    return file
  }

  async function writeAll(file: DiskFile, data: Uint8Array, sliceBytes: number): Promise<void> {
    for (let at = 0; at < data.length; at += sliceBytes) await file.write(data.subarray(at, at + sliceBytes), at)
  }

  it('has all that was written, of which only what is no whole block went through the cache', async () => {
    const data = randomBytes(2 * stagingBytes + 3 * 4096 + 100)
    const file = await make()
    await writeAll(file, data, 100_001)
    await file.sync()
    await file.close()
    expect((await readFile(path)).equals(data)).to.equal(true)
    expect(cached.writes).to.deep.equal([[2 * stagingBytes + 3 * 4096, 100]])
  })

  it('can be read in the middle, and goes on through the cache', async () => {
    const data = randomBytes(stagingBytes + 300_000)
    const file = await make()
    await writeAll(file, data.subarray(0, stagingBytes + 100_000), 50_000)
    const target = Buffer.alloc(60_000)
    expect(await file.read(target, stagingBytes - 10_000)).to.equal(60_000)
    expect(target.equals(data.subarray(stagingBytes - 10_000, stagingBytes + 50_000))).to.equal(true)
    await file.write(data.subarray(stagingBytes + 100_000), stagingBytes + 100_000)
    await file.sync()
    expect((await readFile(path)).equals(data)).to.equal(true)
  })

  it('goes through the cache where the disk refuses its blocks', async () => {
    const data = randomBytes(stagingBytes + 5000)
    const file = await make(crookedMemory())
    await writeAll(file, data, 70_000)
    await file.sync()
    expect((await readFile(path)).equals(data)).to.equal(true)
  })

  it('says of no later sync that all is well after a write has failed', async () => {
    const data = randomBytes(2 * stagingBytes)
    const file = await make(crookedMemory())
    cached.failure = new TwofoldError('io', 'the disk failed')
    expect((await expectError(writeAll(file, data, 70_000), 'io')).message).to.equal('the disk failed')
    cached.failure = undefined
    expect((await expectError(file.sync(), 'io')).message).to.equal('the disk failed')
    expect((await expectError(file.write(data, data.length), 'io')).message).to.equal('the disk failed')
    expect((await expectError(file.read(data, 0), 'io')).message).to.equal('the disk failed')
  })

  it('says of no later sync that all is well after its end could not be written', async () => {
    const file = await make()
    await file.write(randomBytes(5000), 0)
    cached.failure = new TwofoldError('no-room', 'the disk is full')
    expect((await expectError(file.sync(), 'no-room')).message).to.equal('the disk is full')
    cached.failure = undefined
    expect((await expectError(file.sync(), 'no-room')).message).to.equal('the disk is full')
  })

  it('leaves it to the cache when too many files are written at once, until one of them is closed', async () => {
    const fresh = new StagingMemory()
    const files: DiskFile[] = []
    for (let count = 0; count < stagedFilesMax; count++) files.push(await make(fresh))
    expect(await make(fresh)).to.equal(cached)
    await files[0]?.close()
    expect(await make(fresh)).to.not.equal(cached)
  })
})
