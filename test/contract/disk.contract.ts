import { expect } from 'chai'
import type { Disk } from '../../src/core/disk.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import { SeededRandom } from '../support/seeded-random.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  cleanup(): Promise<void>
}

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    expect(error).to.be.instanceOf(TwofoldError)
    return (error as TwofoldError).code
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

async function write(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.create(path)
  await file.write(bytes(text), 0)
  await file.sync()
  await file.close()
}

async function read(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path)
  const target = new Uint8Array(await file.length())
  const length = await file.read(target, 0)
  await file.close()
  return Buffer.from(target.subarray(0, length)).toString()
}

/** The sentences of the `Disk` port, tried on a driver. What survives a crash is tried where crashes can be made. */
export function diskContract(name: string, factory: () => Promise<DiskUnderTest>): void {
  describe(`Disk: ${name}`, () => {
    let under: DiskUnderTest
    let disk: Disk
    beforeEach(async () => {
      under = await factory()
      disk = under.disk
    })
    afterEach(() => under.cleanup())
    files(() => disk)
    names(() => disk)
    refusals(() => disk)
  })
}

function files(disk: () => Disk): void {
  it('gives back what was written', async () => {
    await write(disk(), 'a', 'hello')
    expect(await read(disk(), 'a')).to.equal('hello')
  })

  it('writes and reads at positions, in any order', async () => {
    const file = await disk().create('a')
    await file.write(bytes('world'), 6)
    await file.write(bytes('hello '), 0)
    const target = new Uint8Array(5)
    expect(await file.read(target, 3)).to.equal(5)
    expect(Buffer.from(target).toString()).to.equal('lo wo')
    await file.close()
  })

  it('fills a gap that was never written with zeros', async () => {
    const file = await disk().create('a')
    await file.write(bytes('x'), 3)
    const target = new Uint8Array(4).fill(9)
    expect(await file.read(target, 0)).to.equal(4)
    expect([...target]).to.deep.equal([0, 0, 0, 120])
    await file.close()
  })

  it('reads fewer bytes only at the end', async () => {
    await write(disk(), 'a', 'hello')
    const file = await disk().open('a')
    expect(await file.read(new Uint8Array(10), 2)).to.equal(3)
    expect(await file.read(new Uint8Array(10), 5)).to.equal(0)
    expect(await file.read(new Uint8Array(10), 500)).to.equal(0)
    await file.close()
  })

  it('lets the memory of a write be reused', async () => {
    const file = await disk().create('a')
    const memory = new Uint8Array(4)
    for (let turn = 0; turn < 3; turn++) {
      memory.fill(65 + turn)
      await file.write(memory, turn * 4)
    }
    await file.close()
    expect(await read(disk(), 'a')).to.equal('AAAABBBBCCCC')
  })

  it('writes and reads a part of a larger memory', async () => {
    const file = await disk().create('a')
    await file.write(bytes('xxhelloxx').subarray(2, 7), 0)
    const memory = new Uint8Array(9)
    expect(await file.read(memory.subarray(2, 7), 0)).to.equal(5)
    expect([...memory.subarray(0, 2), ...memory.subarray(7)]).to.deep.equal([0, 0, 0, 0])
    await file.close()
    expect(await read(disk(), 'a')).to.equal('hello')
  })

  it('knows the length', async () => {
    const file = await disk().create('a')
    expect(await file.length()).to.equal(0)
    await file.write(bytes('hello'), 10)
    expect(await file.length()).to.equal(15)
    await file.close()
  })

  it('writes many megabytes', async () => {
    const file = await disk().create('a')
    const part = new Uint8Array(1 << 20)
    for (let index = 0; index < 8; index++) await file.write(part.fill(index), index * part.length)
    const target = new Uint8Array(8 << 20)
    expect(await file.read(target, 0)).to.equal(8 << 20)
    expect([target[0], target[(8 << 20) - 1], target[3 << 20]]).to.deep.equal([0, 7, 3])
    await file.close()
  })

  it('reads long slices from anywhere, a second time too', async () => {
    const content = new SeededRandom(4).bytes(3_000_001)
    const created = await disk().create('long')
    await created.write(content, 0)
    await created.sync()
    await created.close()
    const file = await disk().open('long')
    for (const [offset, length] of [
      [0, 1_000_000],
      [1_000_000, 1_048_576],
      [2_500_000, 600_000],
      [3_000_001, 300_000],
    ] as const) {
      const expected = Buffer.from(content.subarray(offset, offset + length))
      for (const time of ['first', 'second']) {
        const read = new Uint8Array(length)
        const there = await file.read(read, offset)
        expect(expected.equals(read.subarray(0, there)), `${offset}, the ${time} time`).to.equal(true)
      }
    }
    await file.close()
  })

  it('says that there is free room', async () => {
    expect(await disk().freeBytes()).to.be.greaterThan(0)
  })
}

function names(disk: () => Disk): void {
  it('lists files with their lengths, and directories', async () => {
    await write(disk(), 'a', 'hello')
    await disk().makeDirectory('d/e')
    await write(disk(), 'd/b', '')
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)
    expect((await disk().list('')).sort(byName)).to.deep.equal([
      { name: 'a', directory: false, length: 5 },
      { name: 'd', directory: true, length: 0 },
    ])
    expect((await disk().list('d')).sort(byName)).to.deep.equal([
      { name: 'b', directory: false, length: 0 },
      { name: 'e', directory: true, length: 0 },
    ])
  })

  it('makes a directory that is there already', async () => {
    await disk().makeDirectory('d/e')
    await write(disk(), 'd/e/a', 'kept')
    await disk().makeDirectory('d/e')
    expect(await read(disk(), 'd/e/a')).to.equal('kept')
  })

  it('makes many directories at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => disk().makeDirectory(`d/${index % 5}`)))
    expect(await disk().list('d')).to.have.length(5)
  })

  it('renames, into another directory too, and replaces what is there', async () => {
    await disk().makeDirectory('d')
    await write(disk(), 'a', 'new')
    await write(disk(), 'd/b', 'old')
    await disk().rename('a', 'd/b')
    await disk().syncDirectory('d')
    await disk().syncDirectory('')
    expect(await read(disk(), 'd/b')).to.equal('new')
    expect(await codeOf(disk().open('a'))).to.equal('not-found')
  })

  it('removes', async () => {
    await write(disk(), 'a', 'x')
    await disk().remove('a')
    await disk().syncDirectory('')
    expect(await disk().list('')).to.deep.equal([])
  })

  it('lets an open file be read that was renamed or removed', async () => {
    await write(disk(), 'a', 'hello')
    const file = await disk().open('a')
    await disk().rename('a', 'b')
    await disk().remove('b')
    expect(await file.read(new Uint8Array(5), 0)).to.equal(5)
    await file.close()
  })
}

function refusals(disk: () => Disk): void {
  it('calls what is not there `not-found`, in every call', async () => {
    expect(await codeOf(disk().open('a'))).to.equal('not-found')
    expect(await codeOf(disk().remove('a'))).to.equal('not-found')
    expect(await codeOf(disk().rename('a', 'b'))).to.equal('not-found')
    expect(await codeOf(disk().list('d'))).to.equal('not-found')
    expect(await codeOf(disk().create('d/a'))).to.equal('not-found')
    expect(await codeOf(disk().syncDirectory('d'))).to.equal('not-found')
  })

  it('creates no file over another', async () => {
    await write(disk(), 'a', 'first')
    expect(await codeOf(disk().create('a'))).to.equal('already-exists')
    expect(await read(disk(), 'a')).to.equal('first')
  })

  it('calls everything else `io`', async () => {
    await write(disk(), 'a', 'x')
    expect(await codeOf(disk().list('a'))).to.equal('io')
    expect(await codeOf(disk().makeDirectory('a'))).to.equal('io')
    expect(await codeOf(disk().makeDirectory('a/b'))).to.equal('io')
  })

  for (const path of ['../a', '/a', 'd/../../a', 'a//b', './a', 'a/', 'a\0b']) {
    it(`refuses the path ${JSON.stringify(path)}`, async () => {
      expect(await codeOf(disk().create(path))).to.equal('invalid-argument')
      expect(await codeOf(disk().open(path))).to.equal('invalid-argument')
      expect(await codeOf(disk().remove(path))).to.equal('invalid-argument')
      expect(await codeOf(disk().makeDirectory(path))).to.equal('invalid-argument')
    })
  }
}
