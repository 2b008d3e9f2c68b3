import { expect } from 'chai'
import type { ChunkId } from '../../../../src/core/ids.ts'
import { IdList } from '../../../../src/manager/sqlite/id-list.ts'
import { id32 } from '../../../support/catalogue-rows.ts'

/** The number that `id32` made an id of. */
const numberOf = (list: IdList, place: number): number => Buffer.from(list.bytes).readUInt32BE(place * 32)

describe('a list of ids', () => {
  it('is sorted, and knows where each came from', () => {
    const numbers = [7, 0xffffffff, 3, 0x80000000, 3, 0]
    const list = new IdList(
      numbers.map((n) => id32(n)),
      () => true,
    )
    const places = Array.from({ length: list.length }, (_, place) => place)
    expect(places.map((place) => numberOf(list, place))).to.deep.equal([0, 3, 3, 7, 0x80000000, 0xffffffff])
    expect(places.map((place) => list.indexOf(place))).to.deep.equal([5, 2, 4, 0, 3, 1])
  })

  it('has only those that are wanted', () => {
    const ids = [4, 3, 2, 1].map((n) => id32(n))
    const list = new IdList(ids, (id: ChunkId) => id !== ids[1])
    expect(list.length).to.equal(3)
    expect(list.bytes).to.have.length(96)
    expect([0, 1, 2].map((place) => list.indexOf(place))).to.deep.equal([3, 2, 0])
  })

  it('may be empty', () => {
    expect(new IdList([], () => true).length).to.equal(0)
  })
})
