import { expect } from 'chai'
import { packBytesTarget, smallPackBytes, smallPacksMax } from '../../../../src/core/limits.ts'
import { addWeighed, newWeighed, planRepack } from '../../../../src/manager/gc/repack-plan.ts'

const pack = packBytesTarget

function plan(packs: readonly (readonly [length: number, needed: number])[], permille: number): readonly number[] {
  const weighed = newWeighed()
  for (const [index, [lengthBytes, neededBytes]] of packs.entries()) {
    addWeighed(weighed, { id: index + 1, lengthBytes, neededBytes })
  }
  return planRepack(weighed, permille).packs
}

describe('the choice of packs to move', () => {
  it('leaves well-used packs alone', () => {
    expect(
      plan(
        Array.from({ length: 10 }, () => [pack, pack * 0.99] as const),
        0,
      ),
    ).to.deep.equal([])
  })

  it('takes the emptiest first, until little enough is unused', () => {
    const packs = [
      [pack, pack],
      [pack, pack * 0.5],
      [pack, pack * 0.1],
      [pack, pack * 0.9],
      ...Array.from({ length: 6 }, () => [pack, pack] as const),
    ] as const
    expect(plan(packs, 50)).to.deep.equal([3, 2])
    expect(plan(packs, 100)).to.deep.equal([3])
    expect(plan(packs, 500)).to.deep.equal([])
    expect(plan(packs, 0)).to.deep.equal([3, 2, 4])
  })

  it('always takes those of which nothing is left', () => {
    expect(
      plan(
        [
          [pack, pack],
          [pack, 0],
        ],
        1000,
      ),
    ).to.deep.equal([2])
  })

  it('puts small ones together once they fill a pack or are too many', () => {
    const small = smallPackBytes - 1
    const needed = Math.ceil(packBytesTarget / small)
    const some = (count: number, bytes: number) => Array.from({ length: count }, () => [bytes, bytes] as const)
    expect(plan(some(needed - 1, small), 50)).to.deep.equal([])
    expect(plan(some(needed, small), 50)).to.have.length(needed)
    expect(plan(some(smallPacksMax - 1, 1000), 50)).to.deep.equal([])
    expect(plan(some(smallPacksMax, 1000), 50)).to.have.length(smallPacksMax)
  })

  it('says what moving costs and brings', () => {
    const weighed = newWeighed()
    addWeighed(weighed, { id: 1, lengthBytes: 100, neededBytes: 30 })
    addWeighed(weighed, { id: 2, lengthBytes: 1000, neededBytes: 999 })
    const { bytesToMove, bytesToFree, bytesUnused } = planRepack(weighed, 0)
    expect([bytesToMove, bytesToFree, bytesUnused]).to.deep.equal([30, 70, 71])
  })
})
