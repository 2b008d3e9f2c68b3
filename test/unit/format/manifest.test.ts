import { expect } from 'chai'
import fc from 'fast-check'
import { manifestBytesMax } from '../../../src/core/limits.ts'
import { decodeManifest, encodeManifest, snapshotIdOf } from '../../../src/format/manifest.ts'
import { SnapshotManifest } from '../../../src/gen/twofold/v1/format.ts'
import { expectThrow } from '../../support/expect-error.ts'
import { sampleManifest } from './sample-pack.ts'
import { normalized } from './sample-tree.ts'

const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed())

describe('manifest', () => {
  it('is read as it was written', () => {
    const changes = fc.record({
      host: text,
      fileName: text,
      tags: fc.array(text),
      excludes: fc.array(text),
      paths: fc.array(fc.uint8Array()),
      timeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    })
    fc.assert(
      fc.property(changes, (fields) => {
        const manifest = sampleManifest(fields)
        expect(normalized(decodeManifest(encodeManifest(manifest)))).to.deep.equal(normalized(manifest))
      }),
    )
  })

  it('has the hash of its bytes as its id', () => {
    const bytes = encodeManifest(sampleManifest())
    expect(snapshotIdOf(bytes)).to.match(/^[0-9a-f]{64}$/)
    expect(snapshotIdOf(encodeManifest(sampleManifest({ sessionId: 'cd'.repeat(16) })))).not.to.equal(
      snapshotIdOf(bytes),
    )
  })

  it('refuses other versions, missing trees, and numbers that JavaScript would round', () => {
    const stored = SnapshotManifest.decode(encodeManifest(sampleManifest()))
    const encode = (changes: Partial<SnapshotManifest>) => SnapshotManifest.encode({ ...stored, ...changes }).finish()
    for (const version of [0, 2, 99]) expectThrow(() => decodeManifest(encode({ version })), 'unsupported')
    for (const length of [0, 31, 33]) {
      expectThrow(() => decodeManifest(encode({ tree: new Uint8Array(length) })), 'integrity')
    }
    const stats = { ...stored.stats!, totalBytes: 2n ** 53n }
    expectThrow(() => decodeManifest(encode({ stats })), 'integrity')
  })

  it('is bounded in length', () => {
    const excludes = [Buffer.alloc(manifestBytesMax, 'x').toString()]
    expectThrow(() => encodeManifest(sampleManifest({ excludes })), 'invalid-argument')
    expectThrow(() => decodeManifest(new Uint8Array(manifestBytesMax + 1)), 'integrity')
  })

  it('fails in words on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectThrow(() => decodeManifest(bytes), 'integrity', 'unsupported')
      }),
    )
  })
})
