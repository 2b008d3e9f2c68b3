import { expect } from 'chai'
import fc from 'fast-check'
import { Chunker } from '../../../src/format/chunker.ts'
import type { ChunkerOptions } from '../../../src/format/chunker.ts'
import { createWasmScan } from '../../../src/format/gear-scan-wasm.ts'
import { createReferenceScan } from '../../../src/format/gear-scan.ts'
import { gearTable } from '../../../src/format/gear.ts'
import { gearWasm } from '../../../src/format/gear-wasm.ts'
import { compileGear } from './compile-gear.ts'
import { noise } from './noise.ts'

const small: ChunkerOptions = { minBytes: 64, averageBytes: 256, maxBytes: 1024 }

function cutsOf(chunker: Chunker, data: Uint8Array): number[] {
  const cuts: number[] = []
  for (let at = 0; at < data.length;) {
    at = chunker.cut(data, at, data.length, true)
    cuts.push(at)
  }
  return cuts
}

/** Long pieces of few kinds of bytes besides noise: the hash of such content behaves worst. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat(3000)).map(([seed, length]) => noise(length, seed)),
      fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => Uint8Array.from(Buffer.concat(pieces)))

describe('chunker', () => {
  it('the compiled module is the one of gear.wat', async function () {
    expect(gearWasm).to.equal(await compileGear())
  })

  it('the numbers of the gear hash are the documented ones', () => {
    expect([...gearTable.subarray(0, 2), gearTable[255]].map((number) => (number ?? 0) >>> 0)).to.deep.equal([
      3_176_731_571, 1_465_002_227, 3_891_608_639,
    ])
  })

  it('cuts at the same places in WebAssembly and in TypeScript', () => {
    const fast = new Chunker({ ...small, createScan: createWasmScan })
    const reference = new Chunker({ ...small, createScan: createReferenceScan })
    fc.assert(
      fc.property(content, (data) => {
        expect(cutsOf(fast, data)).to.deep.equal(cutsOf(reference, data))
      }),
      { numRuns: 300 },
    )
  })

  it('cuts at the same places across the blocks of the fast scan', () => {
    const options: ChunkerOptions = { minBytes: 200_000, averageBytes: 1 << 18, maxBytes: 1 << 20 }
    const fast = new Chunker({ ...options, createScan: createWasmScan })
    const reference = new Chunker({ ...options, createScan: createReferenceScan })
    const data = noise(8 << 20, 3)
    expect(cutsOf(fast, data)).to.deep.equal(cutsOf(reference, data))
    expect(cutsOf(fast, new Uint8Array(3 << 20))).to.deep.equal(cutsOf(reference, new Uint8Array(3 << 20)))
  })

  it('keeps to the limits, and loses nothing', () => {
    const chunker = new Chunker(small)
    fc.assert(
      fc.property(content, (data) => {
        const cuts = cutsOf(chunker, data)
        let previous = 0
        for (const [index, cut] of cuts.entries()) {
          const length = cut - previous
          expect(length).to.be.at.most(small.maxBytes)
          if (index < cuts.length - 1) expect(length).to.be.at.least(small.minBytes)
          previous = cut
        }
        expect(previous).to.equal(data.length)
      }),
    )
  })

  it('decides the same however the data arrives', () => {
    const chunker = new Chunker(small)
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 700 }), (data, step) => {
        const cuts: number[] = []
        let start = 0
        for (let end = Math.min(step, data.length); start < data.length;) {
          const cut = chunker.cut(data, start, end, end === data.length)
          if (cut === -1) {
            expect(end).to.be.lessThan(data.length)
            end = Math.min(end + step, data.length)
          } else {
            cuts.push(cut)
            start = cut
          }
        }
        expect(cuts).to.deep.equal(cutsOf(chunker, data))
      }),
    )
  })

  it('does not look at bytes before the start of the chunk or beyond the end', () => {
    const chunker = new Chunker(small)
    const data = noise(5000)
    const shifted = new Uint8Array(6000).fill(1)
    shifted.set(data, 500)
    expect(chunker.cut(shifted, 500, 5500, true) - 500).to.equal(chunker.cut(data, 0, 5000, true))
    expect(chunker.cut(shifted, 500, 530, true)).to.equal(530)
    expect(chunker.cut(shifted, 500, 530, false)).to.equal(-1)
  })

  it('finds its old cuts again after an insertion', () => {
    const chunker = new Chunker(small)
    const data = noise(200_000, 5)
    const changed = Uint8Array.from(Buffer.concat([data.subarray(0, 1000), noise(77, 9), data.subarray(1000)]))
    const before = new Set(cutsOf(chunker, data).map((cut) => data.length - cut))
    const after = cutsOf(chunker, changed).map((cut) => changed.length - cut)
    const moved = after.filter((distance) => !before.has(distance))
    expect(after.length).to.be.greaterThan(400)
    expect(moved.length).to.be.lessThan(12)
  })

  it('finds them again soon: an insertion moves less than one cut behind it on average', () => {
    const chunker = new Chunker(small)
    const data = noise(200_000, 5)
    const before = new Set(cutsOf(chunker, data).map((cut) => data.length - cut))
    let moved = 0
    for (let at = 1000; at <= 100_000; at += 1000) {
      const changed = Uint8Array.from(Buffer.concat([data.subarray(0, at), noise(77, at), data.subarray(at)]))
      const behind = cutsOf(chunker, changed).filter((cut) => cut > at)
      moved += behind.filter((cut) => !before.has(changed.length - cut)).length
    }
    expect(moved).to.be.lessThan(100)
  })

  it('cuts where it has always cut', () => {
    const first = cutsOf(new Chunker(), noise(16 << 20, 2)).slice(0, 3)
    expect(first).to.deep.equal([1_150_802, 2_436_215, 2_953_737])
    expect(cutsOf(new Chunker(small), noise(10_000, 2)).slice(0, 5)).to.deep.equal([318, 393, 774, 1184, 1459])
  })

  it('makes chunks of about the average length', () => {
    const cuts = cutsOf(new Chunker(small), noise(2_000_000, 8))
    const average = 2_000_000 / cuts.length
    expect(average).to.be.within(small.averageBytes * 0.9, small.averageBytes * 1.5)
  })
})
