import { expect } from 'chai'
import fc from 'fast-check'
import type { ChunkId } from '../../../src/core/ids.ts'
import { recordBodyBytesMax, recordRefsMax } from '../../../src/core/limits.ts'
import { inlineCodec } from '../../../src/format/codec.ts'
import { blake3 } from '../../../src/format/hash.ts'
import { decodeRecordHeader, openRecord, recordHeaderBytes, recordId, sealRecord } from '../../../src/format/record.ts'
import { encodeManifest } from '../../../src/format/manifest.ts'
import { expectError, expectThrow } from '../../support/expect-error.ts'
import { noise } from './noise.ts'
import { forgeHeader, sampleManifest, sampleRecords, seal, someId, vaultId } from './sample-pack.ts'

const joined = (record: { header: Uint8Array; stored: Uint8Array }) => Buffer.concat([record.header, record.stored])

describe('record', () => {
  it('opens what was sealed', async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(5000)).map(([b, n]) => Buffer.alloc(n, b)),
    )
    const ids = fc.array(fc.nat(255).map(someId), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('data', 'tree'), body, ids, async (kind, plain, references) => {
        const refs = kind === 'data' ? new Uint8Array(0) : Uint8Array.from(Buffer.concat(references))
        const sealed = await seal(kind, plain, refs)
        const opened = await openRecord(joined(sealed), sealed.chunkId, inlineCodec)
        expect(opened.kind).to.equal(kind)
        expect(Buffer.from(opened.plain).equals(plain)).to.equal(true)
        expect(Buffer.from(opened.refs).equals(refs)).to.equal(true)
        expect(sealed.plainLength).to.equal(plain.length)
      }),
    )
  })

  it('keeps raw data without copying it', async () => {
    const plain = noise(100_000)
    expect((await seal('data', plain)).stored).to.equal(plain)
  })

  it('never compresses a snapshot, so that nodes can check it', async () => {
    const manifest = sampleManifest({ tags: Array.from({ length: 500 }, () => 'the same tag') })
    const sealed = await seal('snapshot', encodeManifest(manifest), manifest.tree)
    expect(decodeRecordHeader(sealed.header).codec).to.equal('raw')
  })

  it('refuses every single flipped bit', async () => {
    for (const sealed of await sampleRecords()) {
      const record = joined(sealed)
      for (let bit = 0; bit < record.length * 8; bit++) {
        record[bit >>> 3]! ^= 1 << (bit & 7)
        await expectError(openRecord(record, sealed.chunkId, inlineCodec), 'integrity')
        record[bit >>> 3]! ^= 1 << (bit & 7)
      }
    }
  })

  it('refuses every truncation and any addition', async () => {
    for (const sealed of await sampleRecords()) {
      const record = joined(sealed)
      for (let length = 0; length < record.length; length++) {
        await expectError(openRecord(record.subarray(0, length), sealed.chunkId, inlineCodec), 'integrity')
      }
      await expectError(openRecord(Buffer.concat([record, someId(0)]), sealed.chunkId, inlineCodec), 'integrity')
    }
  })

  it('refuses a sound record of another chunk', async () => {
    const sealed = await seal('data', Buffer.from('one thing'))
    await expectError(openRecord(joined(sealed), someId(1), inlineCodec), 'integrity')
  })

  it('refuses content that is sound in itself but not what the id names', async () => {
    for (const kind of ['data', 'tree'] as const) {
      for (const plain of [Buffer.from('something else'), Buffer.alloc(1000, 'compressed ')]) {
        const lie = await sealRecord({ vaultId, kind, chunkId: someId(3), plain }, inlineCodec)
        // Raw data takes its stored hash from its id, everything else is found out by the id itself.
        await expectError(openRecord(joined(lie), someId(3), inlineCodec), 'integrity')
      }
    }
  })

  it('does not let the border between references and body move', async () => {
    const plain = noise(64)
    const sealed = await seal('tree', plain, someId(1))
    const forged = forgeHeader(sealed.header, (bytes) => {
      bytes.writeUInt32LE(64, 64)
      bytes.writeUInt32LE(32, 56)
    })
    const error = await expectError(
      openRecord(Buffer.concat([forged, sealed.stored]), sealed.chunkId, inlineCodec),
      'integrity',
    )
    expect(error.message).to.contain('does not match its id')
  })

  it('gives a tree another name than a file with the same bytes', () => {
    const content = noise(200)
    const names = [recordId(content.subarray(0, 64), content.subarray(64)), blake3(content)]
    names.push(recordId(content.subarray(0, 32), content.subarray(32)))
    expect(new Set(names.map((name) => Buffer.from(name).toString('hex'))).size).to.equal(3)
  })

  it('says of a newer format that it is newer', async () => {
    const { header } = await seal('data', Buffer.from('x'))
    for (const offset of [4, 5, 6, 7, 68, 72, 83, 116, 123]) {
      const newer = forgeHeader(header, (bytes) => (bytes[offset] = 9))
      expectThrow(() => decodeRecordHeader(newer), 'unsupported')
    }
  })

  it('refuses lengths over the limits and lengths that contradict each other', async () => {
    const data = (await seal('data', Buffer.alloc(1000, 'compressible '))).header
    const tree = (await seal('tree', noise(10), someId(1))).header
    const snapshot = (await seal('snapshot', encodeManifest(sampleManifest()), someId(9))).header
    const lies: [Uint8Array, number, number][] = [
      [data, 56, recordBodyBytesMax + 1],
      [data, 56, 0xffff_ffff],
      [data, 56, 0],
      [data, 60, 0xffff_ffff],
      [data, 60, 0],
      [data, 64, 32],
      [tree, 60, 9],
      [tree, 60, 43],
      [tree, 64, 31],
      [tree, 64, 64],
      [tree, 64, 0xffff_ffe0],
      [snapshot, 64, 0],
      [snapshot, 64, 64],
      [snapshot, 6, 1],
    ]
    for (const [header, offset, value] of lies) {
      const forged = forgeHeader(header, (bytes) => {
        if (offset === 6) bytes[offset] = value
        else bytes.writeUInt32LE(value, offset)
      })
      expectThrow(() => decodeRecordHeader(forged), 'integrity')
    }
  })

  it('refuses references longer than a compressed record, and compressed snapshots', async () => {
    const tree = (await seal('tree', Buffer.alloc(1000, 'compressible '), someId(1))).header
    const greedy = forgeHeader(tree, (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(60) - 1, 64))
    expectThrow(() => decodeRecordHeader(greedy), 'integrity')
    const past = forgeHeader(tree, (bytes) => bytes.writeUInt32LE(32 * 100, 64))
    expectThrow(() => decodeRecordHeader(past), 'integrity')
    const snapshot = (await seal('snapshot', encodeManifest(sampleManifest()), someId(9))).header
    const compressed = forgeHeader(snapshot, (bytes) => {
      bytes[6] = 1
      bytes.writeUInt32LE(bytes.readUInt32LE(56) + 1, 56)
    })
    expectThrow(() => decodeRecordHeader(compressed), 'integrity')
  })

  it('seals nothing that a reader would refuse', async () => {
    const chunkId = someId(1)
    const tooManyRefs = new Uint8Array((recordRefsMax + 1) * 32)
    for (const refs of [tooManyRefs, new Uint8Array(31)]) {
      const input = { vaultId, kind: 'tree', chunkId, plain: new Uint8Array(1), refs } as const
      await expectError(sealRecord(input, inlineCodec), 'invalid-argument')
    }
    const plain = new Uint8Array(recordBodyBytesMax + 1)
    await expectError(sealRecord({ vaultId, kind: 'data', chunkId, plain }, inlineCodec), 'invalid-argument')
    const refs = chunkId
    const small = new Uint8Array(1)
    await expectError(
      sealRecord({ vaultId, kind: 'data', chunkId, plain: small, refs }, inlineCodec),
      'invalid-argument',
    )
    await expectError(sealRecord({ vaultId, kind: 'snapshot', chunkId, plain: small }, inlineCodec), 'invalid-argument')
  })

  it('fails in words on any bytes', async () => {
    const { header } = await seal('tree', noise(100), someId(1))
    await fc.assert(
      fc.asyncProperty(fc.nat(123), fc.uint8Array({ minLength: 1, maxLength: 20 }), async (offset, bytes) => {
        const forged = forgeHeader(header, (target) => target.set(bytes.subarray(0, 124 - offset), offset))
        const opening = openRecord(Buffer.concat([forged, noise(132)]), header.subarray(24, 56) as ChunkId, inlineCodec)
        await expectError(opening, 'integrity', 'unsupported')
      }),
    )
  })

  it('a header is 128 bytes and shares no memory with what it was read from', async () => {
    const { header } = await seal('data', Buffer.from('x'))
    expect(header.length).to.equal(recordHeaderBytes)
    const copy = Buffer.from(header)
    const read = decodeRecordHeader(copy)
    copy.fill(0)
    expect(Buffer.from(read.chunkId).equals(blake3(Buffer.from('x')))).to.equal(true)
    expect(Buffer.from(read.vaultId).equals(vaultId)).to.equal(true)
  })
})
