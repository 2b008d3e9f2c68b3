import { expect } from 'chai'
import fc from 'fast-check'
import { InvariantError } from '../../../src/core/errors.ts'
import { packBytesMax, packRecordsMax, packRefsBytesMax, recordRefsMax } from '../../../src/core/limits.ts'
import { inlineCodec } from '../../../src/format/codec.ts'
import { blake3, createHasher } from '../../../src/format/hash.ts'
import { decodePackFooter, packFooterBytes } from '../../../src/format/pack-index.ts'
import { PackVerifier } from '../../../src/format/pack-verifier.ts'
import { PackWriter } from '../../../src/format/pack-writer.ts'
import { openRecord } from '../../../src/format/record.ts'
import { expectThrow } from '../../support/expect-error.ts'
import { noise } from './noise.ts'
import { packOf, sampleRecords, seal, vaultId, verifyPack } from './sample-pack.ts'

describe('pack', () => {
  it('reports every record, and each can be read where it says', async () => {
    const records = await sampleRecords()
    const pack = packOf(records)
    const { entries } = verifyPack(pack)
    expect(entries.map(({ kind }) => kind)).to.deep.equal(['data', 'data', 'tree', 'tree', 'snapshot'])
    for (const [index, { chunkId, offset, length, plainLength, refs }] of entries.entries()) {
      const opened = await openRecord(pack.subarray(offset, offset + length), chunkId, inlineCodec)
      expect(Buffer.from(chunkId).equals(records[index]!.chunkId)).to.equal(true)
      expect(plainLength).to.equal(records[index]!.plainLength)
      expect(plainLength).to.equal(opened.plain.length)
      expect(Buffer.from(refs).equals(records[index]!.refs)).to.equal(true)
    }
  })

  it('is the same to the verifier whatever the slices', async () => {
    const pack = packOf(await sampleRecords())
    const whole = verifyPack(pack)
    for (let sliceBytes = 1; sliceBytes <= pack.length; sliceBytes++) {
      expect(verifyPack(pack, sliceBytes)).to.deep.equal(whole)
    }
  })

  it('takes uneven and empty slices, and does not keep their memory', async () => {
    const pack = packOf(await sampleRecords())
    const whole = verifyPack(pack)
    const lengths = fc.array(fc.nat(300), { minLength: 1 }).filter((steps) => steps.some((step) => step > 0))
    fc.assert(
      fc.property(lengths, (steps) => {
        const verifier = new PackVerifier({ lengthBytes: pack.length, vaultId })
        const memory = new Uint8Array(300)
        for (let at = 0, step = 0; at < pack.length; step++) {
          const slice = pack.subarray(at, at + steps[step % steps.length]!)
          memory.set(slice)
          verifier.push(memory.subarray(0, slice.length))
          memory.fill(0xee)
          at += slice.length
        }
        expect(verifier.finish()).to.deep.equal(whole)
      }),
    )
  })

  it('has the documented digest', async () => {
    const records = await sampleRecords()
    const pack = packOf(records)
    const { indexOffset, indexLength } = decodePackFooter(pack.subarray(pack.length - packFooterBytes))
    const hasher = createHasher()
    for (const { header } of records) hasher.update(header)
    hasher.update(pack.subarray(indexOffset, indexOffset + indexLength))
    expect(Buffer.from(verifyPack(pack).digest).equals(hasher.digest())).to.equal(true)
  })

  it('knows its length before it is finished', async () => {
    const slab = new Uint8Array(1 << 16)
    const writer = new PackWriter(slab, vaultId)
    for (const record of await sampleRecords()) writer.append(record)
    const { lengthBytes, records } = writer
    const pack = writer.finish()
    expect(pack.length).to.equal(lengthBytes)
    expect(pack.buffer).to.equal(slab.buffer)
    expect(verifyPack(pack).entries.length).to.equal(records)
  })

  it('is full when the slab is, to the byte', async () => {
    const [first, second] = await sampleRecords()
    const exact = packOf([first!, second!]).length
    for (const [slabBytes, fits] of [
      [exact - 1, false],
      [exact, true],
    ] as const) {
      const writer = new PackWriter(new Uint8Array(slabBytes), vaultId)
      expect(writer.append(first!)).to.equal(true)
      const before = writer.lengthBytes
      expect(writer.append(second!)).to.equal(fits)
      if (!fits) expect(writer.lengthBytes).to.equal(before)
      verifyPack(writer.finish())
    }
  })

  it('takes as many records and references as the limits say', async () => {
    const tiny = await seal('data', Buffer.from('x'))
    const writer = new PackWriter(new Uint8Array(8 << 20), vaultId)
    for (let record = 0; record < packRecordsMax; record++) expect(writer.append(tiny)).to.equal(true)
    expect(writer.append(tiny)).to.equal(false)
    expect(verifyPack(writer.finish(), 1 << 18).entries.length).to.equal(packRecordsMax)

    const tree = await seal('tree', noise(5), noise(recordRefsMax * 32))
    const trees = new PackWriter(new Uint8Array(packBytesMax), vaultId)
    for (let bytes = 0; bytes < packRefsBytesMax; bytes += recordRefsMax * 32) expect(trees.append(tree)).to.equal(true)
    expect(trees.append(tree)).to.equal(false)
    verifyPack(trees.finish(), 1 << 18)
  })

  it('carries large records', async () => {
    const records = await Promise.all([1, 2, 3].map((seed) => seal('data', noise(1 << 20, seed))))
    const { entries } = verifyPack(packOf(records, 4 << 20), 1 << 18)
    expect(entries.map(({ length }) => length)).to.deep.equal([1, 2, 3].map(() => 128 + (1 << 20)))
  })

  it('takes the vault of the first record when it is not told one', async () => {
    const pack = packOf(await sampleRecords())
    const verifier = new PackVerifier({ lengthBytes: pack.length })
    verifier.push(pack)
    expect(verifier.finish()).to.deep.equal(verifyPack(pack))
  })

  it('refuses lengths that no pack has', () => {
    for (const lengthBytes of [0, -1, 1, 271, packBytesMax + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expectThrow(() => new PackVerifier({ lengthBytes }), 'invalid-argument')
    }
  })

  it('is never empty, and finished once', async () => {
    expect(() => packOf([])).to.throw(InvariantError)
    const writer = new PackWriter(new Uint8Array(1000), vaultId)
    const record = await seal('data', Buffer.from('x'))
    writer.append(record)
    writer.finish()
    expect(() => writer.append(record)).to.throw(InvariantError)
    expect(() => writer.finish()).to.throw(InvariantError)
  })

  it('the same records give the same bytes, today and in every later version', async () => {
    const records = (await sampleRecords()).filter(({ header }) => header[6] === 0)
    expect(records.length).to.equal(3)
    expect(Buffer.from(blake3(packOf(records))).toString('hex')).to.equal(
      '50897eca99e5cff8a5562fde7cab2297179461498030945cf04b557900acbf7a',
    )
  })
})
