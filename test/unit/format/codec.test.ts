import { expect } from 'chai'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { compressions, createThreadPoolCodec, inlineCodec, threadPoolCodec } from '../../../src/format/codec.ts'
import { expectError } from '../../support/expect-error.ts'
import { noise } from './noise.ts'

const codecs = { inlineCodec, threadPoolCodec }

for (const [name, codec] of Object.entries(codecs)) {
  describe(`codec: ${name}`, () => {
    it('gives back what it compressed', async () => {
      const piece = fc.uint8Array({ minLength: 1, maxLength: 50 })
      await fc.assert(
        fc.asyncProperty(piece, fc.integer({ min: 1, max: 4000 }), async (bytes, times) => {
          const plain = Buffer.alloc(bytes.length * times, bytes)
          const stored = await codec.compress(plain)
          if (stored === undefined) return
          expect(stored.length).to.be.lessThan(plain.length)
          expect(plain.equals(await codec.decompress(stored, plain.length))).to.equal(true)
        }),
      )
    })

    it('compresses text well', async () => {
      const stored = await codec.compress(Buffer.from('a line of a log, and another\n'.repeat(10_000)))
      expect(stored?.length).to.be.lessThan(2000)
    })

    it('leaves what does not shrink as it is', async () => {
      for (const length of [0, 1, 255, 256, 1000, 65_535, 65_536, 1 << 20]) {
        expect(await codec.compress(noise(length)), `${length} bytes`).to.equal(undefined)
      }
    })

    it('samples all of a chunk before it gives up', async () => {
      const plain = Buffer.alloc(1 << 20)
      plain.set(noise(1 << 18), 1 << 19)
      expect((await codec.compress(plain))?.length).to.be.lessThan(1 << 19)
    })

    for (const length of [1000, 100_000]) {
      it(`refuses a frame of ${length} bytes that is not what the header says`, async () => {
        const plain = Buffer.alloc(length, 'content ')
        const stored = Buffer.from((await codec.compress(plain)) ?? [])
        await expectError(codec.decompress(stored, length - 1), 'integrity')
        await expectError(codec.decompress(stored, length + 1), 'integrity')
        await expectError(codec.decompress(stored, 0), 'integrity')
        await expectError(codec.decompress(stored.subarray(0, -1), length), 'integrity')
        await expectError(codec.decompress(noise(100), length), 'integrity')
        await expectError(codec.decompress(new Uint8Array(0), length), 'integrity')
      })
    }

    it('does not unpack a bomb', async () => {
      const bomb = zlib.zstdCompressSync(Buffer.alloc(1 << 28), { chunkSize: 1 << 16 })
      const before = process.memoryUsage().arrayBuffers
      await expectError(codec.decompress(bomb, 1 << 16), 'integrity')
      expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(1 << 24)
    })
  })
}

it('each way to compress takes less room than the one before, and anybody can read it', async () => {
  const documents = ['architecture.md', 'json.md', 'grpcurl.md', 'performance.md']
  const docs = join(import.meta.dirname, '../../../docs')
  const plain = Buffer.concat(documents.map((name) => readFileSync(join(docs, name))))
  const lengths: number[] = []
  for (const compression of compressions) {
    const stored = await createThreadPoolCodec(compression).compress(plain)
    lengths.push(stored?.length ?? plain.length)
    if (stored === undefined) continue
    expect(plain.equals(await inlineCodec.decompress(stored, plain.length)), compression).to.equal(true)
  }
  expect(lengths[0]).to.equal(plain.length)
  expect(lengths).to.deep.equal(lengths.toSorted((a, b) => b - a))
  expect(new Set(lengths).size, lengths.join(' ')).to.equal(compressions.length)
})

it('both codecs store the same bytes', async () => {
  const plain = Buffer.from(Array.from({ length: 20_000 }, (_, index) => `${index * index}\n`).join(''))
  const [inline, pooled] = [await inlineCodec.compress(plain), await threadPoolCodec.compress(plain)]
  expect(inline !== undefined && pooled !== undefined && Buffer.from(inline).equals(pooled)).to.equal(true)
})
