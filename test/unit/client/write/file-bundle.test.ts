import { expect } from 'chai'
import { FileBundle } from '../../../../src/client/file-bundle.ts'
import { bundleBytesMax, bundledFileBytesMax } from '../../../../src/core/limits.ts'
import { blake3 } from '../../../../src/format/hash.ts'
import type { ChunkId } from '../../../../src/core/ids.ts'
import type { Extent } from '../../../../src/format/tree.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'

const random = new SeededRandom(7)

/** Chunks by their ids, as they were taken. */
class Chunks {
  readonly taken = new Map<string, Buffer>()

  readonly name = async (chunk: Uint8Array): Promise<ChunkId> => {
    const id = blake3(chunk) as ChunkId
    this.taken.set(Buffer.from(id).toString('hex'), Buffer.from(chunk))
    return id
  }

  content(extents: readonly Extent[]): Buffer {
    const parts = extents.map(({ chunk, chunkOffset, length }) =>
      this.taken.get(Buffer.from(chunk ?? []).toString('hex'))?.subarray(chunkOffset, chunkOffset + length),
    )
    return Buffer.concat(parts.filter((part) => part !== undefined))
  }
}

async function bundled(files: readonly Uint8Array[]): Promise<{ chunks: Chunks; extents: (readonly Extent[])[] }> {
  const bundle = new FileBundle()
  const chunks = new Chunks()
  const extents: (readonly Extent[])[] = []
  for (const file of files) {
    while (bundle.full) await bundle.take(false, chunks.name)
    bundle.room.set(file)
    extents.push(bundle.add(file.length))
  }
  while (await bundle.take(true, chunks.name));
  return { chunks, extents }
}

describe('file bundle', () => {
  it('puts small files into one chunk', async () => {
    const files = ['one', '', 'three'].map((text) => Buffer.from(text))
    const { chunks, extents } = await bundled(files)
    expect([...chunks.taken.values()].map(String)).to.deep.equal(['onethree'])
    expect(extents.map((of) => of.map(({ chunkOffset, length }) => [chunkOffset, length]))).to.deep.equal([
      [[0, 3]],
      [],
      [[3, 5]],
    ])
  })

  it('gives every file its bytes, also where a cut goes through it', async () => {
    const files = Array.from({ length: 600 }, (_, at) => random.bytes((at * 7919) % (bundledFileBytesMax + 1)))
    const { chunks, extents } = await bundled(files)
    files.forEach((file, at) => expect(chunks.content(extents[at] ?? []).equals(file)).to.equal(true))
    expect(extents.filter((of) => of.length === 2)).not.to.have.length(0)
    for (const { length } of chunks.taken.values()) expect(length).to.be.at.most(bundleBytesMax)
  })

  it('finds most chunks again when files come, go and change', async () => {
    const files = Array.from({ length: 2000 }, () => random.bytes(10_000))
    const before = await bundled(files)
    const changed = files.with(500, random.bytes(9_000)).toSpliced(1000, 1).toSpliced(1500, 0, random.bytes(20))
    const after = await bundled(changed)
    const known = [...after.chunks.taken.keys()].filter((id) => before.chunks.taken.has(id))
    expect(known.length).to.be.at.least(after.chunks.taken.size * 0.7)
  })

  it('has room for one byte more than the largest file, even when it is almost full', () => {
    const bundle = new FileBundle()
    for (; !bundle.full; bundle.add(bundledFileBytesMax)) expect(bundle.room).to.have.length(bundledFileBytesMax + 1)
  })
})
