import { expect } from 'chai'
import fc from 'fast-check'
import { createBLAKE3 } from 'hash-wasm'
import type { HashEngine } from '../../../src/format/hash-engine.ts'
import { blake3, createHasher, createTreeHasher } from '../../../src/format/hash.ts'
import { loadNativeHash } from '../../../src/format/native-hash.ts'
import { portableHash } from '../../../src/format/portable-hash.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The input of BLAKE3's published test vectors. */
const vectorInput = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251)
const vectors: [length: number, hash: string, keyed: string][] = [
  [
    0,
    'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    '92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26',
  ],
  [
    1,
    '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
    '6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b',
  ],
  [
    1025,
    'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
    '357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69',
  ],
]
const vectorKey = Buffer.from('whats the Elvish word for friend')

describe('hash', () => {
  const engines: HashEngine[] = [loadNativeHash(), portableHash]

  it('gives the published hashes, whole and keyed, in both implementations', () => {
    for (const engine of engines) {
      for (const [length, hash, keyed] of vectors) {
        expect(hex(engine.hash(vectorInput(length))), engine.name).to.equal(hash)
        const hasher = engine.createKeyed(vectorKey)
        hasher.update(vectorInput(length))
        expect(hex(hasher.digest()), engine.name).to.equal(keyed)
      }
    }
  })

  it('gives the same in pieces, with several hashers at work at once', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 })
    fc.assert(
      fc.property(pieces, pieces, (left, right) => {
        for (const engine of engines) {
          const [first, second] = [engine.create(), engine.create()]
          for (let index = 0; index < Math.max(left.length, right.length); index++) {
            first.update(left[index] ?? new Uint8Array(0))
            second.update(right[index] ?? new Uint8Array(0))
          }
          expect(hex(first.digest()), engine.name).to.equal(hex(blake3(Buffer.concat(left))))
          expect(hex(second.digest()), engine.name).to.equal(hex(blake3(Buffer.concat(right))))
        }
      }),
    )
  })

  it('agrees on every shape of the hash tree', async () => {
    const independent = await createBLAKE3()
    for (let chunks = 0; chunks <= 17; chunks++) {
      for (const length of [chunks * 1024 - 1, chunks * 1024, chunks * 1024 + 1, chunks * 1024 + 64]) {
        if (length < 0) continue
        const expected = independent.init().update(vectorInput(length)).digest()
        for (const engine of engines) expect(hex(engine.hash(vectorInput(length))), engine.name).to.equal(expected)
      }
    }
  })

  it('hashes only the bytes of a view', () => {
    const whole = vectorInput(100)
    expect(hex(blake3(whole.subarray(10, 20)))).to.equal(hex(blake3(Uint8Array.from(whole.subarray(10, 20)))))
  })

  it('names trees apart from everything that a file can contain', () => {
    const [plain, tree] = [createHasher(), createTreeHasher()]
    plain.update(vectorInput(10))
    tree.update(vectorInput(10))
    expect(hex(plain.digest())).not.to.equal(hex(tree.digest()))
  })
})
