import { expect } from 'chai'
import fc from 'fast-check'
import { byteSetKey, decodeByteList, encodeByteList } from '../../../src/manager/byte-list.ts'
import { decodePackSet, encodePackSet } from '../../../src/manager/pack-set.ts'

describe('sets of packs as bytes', () => {
  it('come back sorted and without repetitions', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 2 ** 45 }))
    fc.assert(
      fc.property(numbers, (packs) => {
        const expected = [...new Set(packs)].toSorted((a, b) => a - b)
        expect(decodePackSet(encodePackSet(packs))).to.deep.equal(expected)
      }),
    )
  })

  it('take a byte for each pack of a run', () => {
    const run = Array.from({ length: 1000 }, (_, index) => 100 + index)
    expect(encodePackSet(run)).to.have.length(1000)
  })

  it('are refused when cut off', () => {
    expect(() => decodePackSet(encodePackSet([1000]).subarray(0, 1))).to.throw('broken')
  })
})

describe('lists of bytes as bytes', () => {
  const lists = fc.array(fc.uint8Array())

  it('come back as they were', () => {
    fc.assert(
      fc.property(lists, (items) => {
        const back = decodeByteList(encodeByteList(items)).map((item) => [...item])
        expect(back).to.deep.equal(items.map((item) => [...item]))
      }),
    )
  })

  it('are refused when cut off', () => {
    const bytes = encodeByteList([Buffer.from('abc')])
    for (const end of [1, 5]) expect(() => decodeByteList(bytes.subarray(0, end))).to.throw('broken')
  })

  it('are the same set in any order', () => {
    fc.assert(
      fc.property(lists, (items) => {
        const mixed = [...items.toReversed(), ...items]
        expect(Buffer.compare(byteSetKey(mixed), byteSetKey(items))).to.equal(0)
      }),
    )
  })
})
