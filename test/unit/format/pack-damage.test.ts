import { expect } from 'chai'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { packBytesMax, packRecordsMax, packRefsBytesMax, recordRefsMax } from '../../../src/core/limits.ts'
import { inlineCodec } from '../../../src/format/codec.ts'
import { blake3 } from '../../../src/format/hash.ts'
import { encodeManifest } from '../../../src/format/manifest.ts'
import { PackVerifier } from '../../../src/format/pack-verifier.ts'
import { sealRecord } from '../../../src/format/record.ts'
import { expectThrow } from '../../support/expect-error.ts'
import { noise } from './noise.ts'
import { forgeHeader, packOf, sampleManifest, sampleRecords, seal, someId, vaultId, verifyPack } from './sample-pack.ts'

describe('damaged pack', () => {
  let pack: Uint8Array

  before(async () => {
    pack = packOf(await sampleRecords())
  })

  it('is refused when it ends early, anywhere', () => {
    for (let length = 0; length < pack.length; length++) {
      expectThrow(() => verifyPack(pack.subarray(0, length), 100, pack.length), 'integrity')
    }
  })

  it('is refused when the announced length is wrong, in either direction', () => {
    for (let lengthBytes = 272; lengthBytes < pack.length + 300; lengthBytes++) {
      if (lengthBytes === pack.length) continue
      expectThrow(() => verifyPack(pack, 100, lengthBytes), 'integrity')
    }
  })

  it('is refused with a bit flipped in any byte, in whole and in small slices', () => {
    const copy = Buffer.from(pack)
    for (let offset = 0; offset < pack.length; offset++) {
      for (const [sliceBytes, bit] of [
        [pack.length, offset & 7],
        [37, (offset + 3) & 7],
      ] as const) {
        copy[offset]! ^= 1 << bit
        expectThrow(() => verifyPack(copy, sliceBytes), 'integrity')
        copy[offset]! ^= 1 << bit
      }
    }
  })

  it('is refused with bytes after its end', () => {
    expectThrow(() => verifyPack(Buffer.concat([pack, someId(0)]), pack.length, pack.length), 'integrity')
  })

  it('stays refused: nothing that follows a failure makes it good again', () => {
    const verifier = new PackVerifier({ lengthBytes: pack.length, vaultId })
    expectThrow(() => verifier.push(Buffer.alloc(200, 'nonsense')), 'integrity')
    expectThrow(() => verifier.push(pack), 'integrity')
    expectThrow(() => verifier.finish(), 'integrity')
  })

  it('is refused when it belongs to another vault, wholly or with one record', async () => {
    const foreign = new PackVerifier({ lengthBytes: pack.length, vaultId: new Uint8Array(16).fill(8) })
    expectThrow(() => foreign.push(pack), 'integrity')
    const [first, second] = await sampleRecords()
    const header = forgeHeader(second!.header, (bytes) => bytes.fill(8, 8, 24))
    const mixed = packOf([first!, { ...second!, header }])
    expectThrow(() => verifyPack(mixed), 'integrity')
    const untold = new PackVerifier({ lengthBytes: mixed.length })
    expectThrow(() => untold.push(mixed), 'integrity')
  })

  it('is refused for a record that lies about its length, before anything is allocated for it', async () => {
    const [record] = await sampleRecords()
    for (const claim of [4, 6, 1000, 1 << 22]) {
      const header = forgeHeader(record!.header, (bytes) => {
        bytes.writeUInt32LE(claim, 56)
        bytes.writeUInt32LE(claim, 60)
      })
      expectThrow(() => verifyPack(packOf([{ ...record!, header }])), 'integrity')
    }
    const tree = (await seal('tree', noise(8), someId(1))).header
    const greedy = forgeHeader(tree, (bytes) => {
      bytes.writeUInt32LE((1 << 21) + 8, 60)
      bytes.writeUInt32LE(1 << 21, 64)
    })
    const error = expectThrow(() => verifyPack(greedy, 128, 5000), 'integrity')
    expect(error.message).to.contain('announced length')
  })

  it('is refused for a record that lies about its hash or its id', async () => {
    const text = Buffer.from('some content')
    const wrongId = await sealRecord({ vaultId, kind: 'data', chunkId: someId(1), plain: text }, inlineCodec)
    expectThrow(() => verifyPack(packOf([wrongId])), 'integrity')
    const right = await seal('data', text)
    const otherId = forgeHeader(right.header, (bytes) => bytes.fill(1, 24, 56))
    expectThrow(() => verifyPack(packOf([{ ...right, header: otherId }])), 'integrity')
    const packed = await seal('data', Buffer.alloc(500, 'compressible '))
    const otherHash = forgeHeader(packed.header, (bytes) => bytes.fill(1, 84, 116))
    expectThrow(() => verifyPack(packOf([{ ...packed, header: otherHash }])), 'integrity')
  })

  it('is refused for a snapshot that is not what its id, reference or version says', async () => {
    const manifest = encodeManifest(sampleManifest())
    const wrongTree = await seal('snapshot', manifest, someId(8))
    expectThrow(() => verifyPack(packOf([wrongTree])), 'integrity')
    const input = { vaultId, kind: 'snapshot', chunkId: someId(1), plain: manifest, refs: someId(9) } as const
    const wrongId = await sealRecord(input, inlineCodec)
    expectThrow(() => verifyPack(packOf([wrongId])), 'integrity')
    const newer = await seal('snapshot', encodeManifest(sampleManifest({ version: 2 })), someId(9))
    expectThrow(() => verifyPack(packOf([newer])), 'unsupported')
    const nonsense = await seal('snapshot', noise(50), someId(9))
    expectThrow(() => verifyPack(packOf([nonsense])), 'integrity', 'unsupported')
  })

  it('is refused when index and footer are sound in themselves but tell of other records', async () => {
    const [first, second, third] = await sampleRecords()
    const left = packOf([first!, second!])
    const right = packOf([second!, first!])
    const records = 256 + first!.stored.length + second!.stored.length
    const swapped = Buffer.concat([left.subarray(0, records), right.subarray(records)])
    expectThrow(() => verifyPack(swapped), 'integrity')
    const shorter = packOf([first!])
    const lost = Buffer.concat([left.subarray(0, records), shorter.subarray(128 + first!.stored.length)])
    expectThrow(() => verifyPack(lost), 'integrity')
    expectThrow(() => verifyPack(Buffer.concat([left, packOf([third!])])), 'integrity')
  })

  it('is refused for an empty record with a hash of something', async () => {
    const empty = await seal('tree', new Uint8Array(0))
    const header = forgeHeader(empty.header, (bytes) => bytes.fill(1, 84, 116))
    expectThrow(() => verifyPack(packOf([{ ...empty, header }])), 'integrity')
  })

  it('is refused with more records or references than the limits, as soon as they are seen', async () => {
    const tiny = await seal('tree', new Uint8Array(0))
    const many = new PackVerifier({ lengthBytes: packBytesMax })
    for (let record = 0; record < packRecordsMax; record++) many.push(tiny.header)
    expectThrow(() => many.push(tiny.header), 'integrity')
    const wide = await seal('tree', noise(1), new Uint8Array(recordRefsMax * 32))
    const heavy = new PackVerifier({ lengthBytes: packBytesMax })
    for (let bytes = 0; bytes < packRefsBytesMax; bytes += recordRefsMax * 32) {
      heavy.push(wide.header)
      heavy.push(wide.stored)
    }
    expectThrow(() => heavy.push(wide.header), 'integrity')
  })

  it('is refused when index header or footer lie, though all their checksums and hashes are right', () => {
    const footerAt = pack.length - 80
    const forge = (change: (bytes: Buffer, indexAt: number) => void): Buffer => {
      const bytes = Buffer.from(pack)
      const indexAt = bytes.readUInt32LE(footerAt + 12)
      change(bytes, indexAt)
      bytes.writeUInt32LE(crc32(bytes.subarray(indexAt, indexAt + 12)), indexAt + 12)
      bytes.set(blake3(bytes.subarray(indexAt, footerAt)), footerAt + 40)
      bytes.writeUInt32LE(crc32(bytes.subarray(footerAt, footerAt + 76)), footerAt + 76)
      return bytes
    }
    expect(forge(() => undefined).equals(pack)).to.equal(true)
    const lies = [
      forge((bytes, indexAt) => bytes.writeUInt32LE(4, indexAt + 8)),
      forge((bytes, indexAt) => bytes.writeUInt32LE(6, indexAt + 8)),
      forge((bytes, indexAt) => bytes.writeUInt32LE(0, indexAt + 8)),
      forge((bytes, indexAt) => bytes.writeUInt32LE(0xffff_ffff, indexAt + 8)),
      forge((bytes, indexAt) => bytes.writeUInt32LE(1, indexAt + 16 + 32)),
      forge((bytes) => bytes.fill(8, footerAt + 24, footerAt + 40)),
      forge((bytes) => bytes.writeUInt32LE(4, footerAt + 8)),
      forge((bytes) => bytes.writeUInt32LE(1, footerAt + 12)),
      forge((bytes) => bytes.writeUInt32LE(pack.length + 1, footerAt + 20)),
    ]
    for (const lie of lies) expectThrow(() => verifyPack(lie), 'integrity')
  })

  it('is reported as newer when it is newer', () => {
    const footerAt = pack.length - 80
    const indexAt = Buffer.from(pack).readUInt32LE(footerAt + 12)
    const places: [start: number, checkedBytes: number, offset: number][] = [
      [0, 124, 4],
      [0, 124, 70],
      [indexAt, 12, 4],
      [indexAt, 12, 7],
      [footerAt, 76, 4],
      [footerAt, 76, 5],
      [footerAt, 76, 72],
    ]
    for (const [start, checkedBytes, offset] of places) {
      const newer = Buffer.from(pack)
      newer[start + offset] = 2
      newer.writeUInt32LE(crc32(newer.subarray(start, start + checkedBytes)), start + checkedBytes)
      expectThrow(() => verifyPack(newer), 'unsupported')
    }
  })

  it('fails in words on any bytes', () => {
    fc.assert(
      fc.property(fc.nat(123), fc.uint8Array({ minLength: 1, maxLength: 12 }), (offset, bytes) => {
        const header = forgeHeader(pack.subarray(0, 128), (target) =>
          target.set(bytes.subarray(0, 124 - offset), offset),
        )
        const changed = Buffer.concat([header, pack.subarray(128)])
        if (changed.equals(pack)) return
        expectThrow(() => verifyPack(changed, 64), 'integrity', 'unsupported')
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), (bytes) => {
        expectThrow(() => verifyPack(bytes, 64, 3000), 'integrity')
      }),
    )
  })
})
