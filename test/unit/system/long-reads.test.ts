import { expect } from 'chai'
import fc from 'fast-check'
import { blockBytes } from '../../../src/core/direct-io.ts'
import { sliceBytesMax } from '../../../src/core/limits.ts'
import { LongReads } from '../../../src/system/long-reads.ts'
import type { LongFile, ReadableHandle } from '../../../src/system/long-reads.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

type Read = readonly [offset: number, length: number]

/** A file in memory; around the cache it takes only what a disk does. */
class PaperFile implements LongFile {
  readonly name: string
  readonly content: Uint8Array
  readonly reads = { cached: [] as Read[], direct: [] as Read[] }
  /** What a read around the cache fails with. */
  failure: NodeJS.ErrnoException | undefined
  hasDirect = true

  constructor(name: string, content: Uint8Array) {
    this.name = name
    this.content = content
  }

  readonly cached: ReadableHandle = {
    read: (target, at, length, offset) => {
      this.reads.cached.push([offset, length])
      return this.#give(target.subarray(at, at + length), offset)
    },
  }

  direct(): Promise<ReadableHandle | undefined> {
    const read: ReadableHandle['read'] = (target, at, length, offset) => {
      this.reads.direct.push([offset, length])
      if (this.failure !== undefined) return Promise.reject(this.failure)
      expect([at, length, offset].every((number) => number % blockBytes === 0)).to.equal(true)
      return this.#give(target.subarray(at, at + length), offset)
    }
    return Promise.resolve(this.hasDirect ? { read } : undefined)
  }

  #give(target: Uint8Array, offset: number): Promise<{ bytesRead: number }> {
    const part = this.content.subarray(offset, offset + target.length)
    target.set(part)
    return Promise.resolve({ bytesRead: part.length })
  }
}

const MiB = 1024 * 1024

describe('long slices that are read', () => {
  const content = new SeededRandom(1).bytes(5 * MiB + 777)
  const read = async (reads: LongReads, file: LongFile, offset: number, length: number): Promise<Uint8Array> => {
    const target = new Uint8Array(length)
    return target.subarray(0, await reads.read(file, target, offset))
  }

  it('are what the file has there, wherever they begin and end', async () => {
    const place = fc.record({ offset: fc.nat(6 * MiB), length: fc.integer({ min: 1, max: 3 * MiB }) })
    await fc.assert(
      fc.asyncProperty(place, async ({ offset, length }) => {
        const file = new PaperFile('pack', content)
        const reads = new LongReads()
        const expected = Buffer.from(content.subarray(offset, offset + length))
        for (const way of ['direct', 'cached']) {
          expect(expected.equals(await read(reads, file, offset, length)), way).to.equal(true)
        }
        expect(file.reads.direct).not.to.have.length(0)
      }),
      { numRuns: 100 },
    )
  })

  it('come from the disk at first, and through the cache when they are wanted again', async () => {
    const reads = new LongReads()
    const [one, other] = [new PaperFile('one', content), new PaperFile('other', content)]
    for (let offset = 100; offset < content.length; offset += sliceBytesMax) {
      await read(reads, one, offset, Math.min(sliceBytesMax, content.length - offset))
    }
    expect(one.reads.cached).to.deep.equal([])
    const before = one.reads.direct.length
    await read(reads, one, sliceBytesMax + 100, MiB)
    expect(one.reads.direct).to.have.length(before)
    expect(one.reads.cached).to.deep.equal([[sliceBytesMax + 100, MiB]])
    await read(reads, other, sliceBytesMax + 100, MiB)
    expect(other.reads.cached).to.deep.equal([])
  })

  it('go through the cache for good where there is no other way, or the disk wants other blocks', async () => {
    for (const [what, refuse] of [
      ['no way', (file: PaperFile) => (file.hasDirect = false)],
      ['EINVAL', (file: PaperFile) => (file.failure = Object.assign(new Error('invalid'), { code: 'EINVAL' }))],
    ] as const) {
      const reads = new LongReads()
      const file = new PaperFile('pack', content)
      refuse(file)
      for (const offset of [0, 2 * MiB]) {
        const expected = Buffer.from(content.subarray(offset, offset + MiB))
        expect(expected.equals(await read(reads, file, offset, MiB)), what).to.equal(true)
      }
      expect(file.reads.direct.length, what).to.be.at.most(1)
      expect(file.reads.cached, what).to.have.length(2)
    }
  })

  it('end with the system’s error, and take no memory with them', async () => {
    const reads = new LongReads()
    const file = new PaperFile('pack', content)
    file.failure = Object.assign(new Error('a bad sector'), { code: 'EIO' })
    for (let turn = 0; turn < 20; turn++) {
      const error: unknown = await read(reads, file, turn * sliceBytesMax, MiB).catch((reason: unknown) => reason)
      expect((error as NodeJS.ErrnoException).code).to.equal('EIO')
    }
  })
})
