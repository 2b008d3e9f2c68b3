import { expect } from 'chai'
import { WriteWays } from '../../../src/client/write-ways.ts'
import type { WriteWay } from '../../../src/client/write-ways.ts'

const sliceBytes = 1000

describe('the way in which long slices are written', () => {
  let ways: WriteWays
  beforeEach(() => (ways = new WriteWays()))

  /** Writes so many slices, each of which takes so long. @returns how long each way was written in. */
  const write = (count: number, ms: Readonly<Record<WriteWay, number>>): Record<WriteWay, number> => {
    const spent = { cached: 0, direct: 0 }
    for (let slice = 0; slice < count; slice++) {
      const way = ways.next()
      spent[way] += ms[way]
      ways.took(way, sliceBytes, ms[way])
    }
    return spent
  }

  it('is around the cache, also when the cache is a little faster', () => {
    const { cached, direct } = write(1000, { direct: 1, cached: 0.6 })
    expect(direct).to.be.greaterThan(18 * cached)
  })

  it('is through the cache where that is much faster, and a slow disk is tried seldom', () => {
    const { cached, direct } = write(2000, { direct: 40, cached: 1 })
    expect(direct - 80, 'but for the first two').to.be.at.most(cached / 18)
  })

  it('changes when what is fast does', () => {
    write(500, { direct: 40, cached: 1 })
    write(200, { direct: 1, cached: 3 })
    expect(write(200, { direct: 1, cached: 3 }).cached).to.be.below(20)
    write(1000, { direct: 1, cached: 0.1 })
    expect(write(200, { direct: 1, cached: 0.1 }).direct).to.be.below(5)
  })

  it('comes back after slices that had to wait for something else', () => {
    write(100, { direct: 1, cached: 1 })
    for (const slow of [50, 20]) ways.took('direct', sliceBytes, slow)
    write(500, { direct: 1, cached: 1 })
    const { cached, direct } = write(500, { direct: 1, cached: 1 })
    expect(direct).to.be.greaterThan(18 * cached)
  })

  it('is not around the cache where the disk takes few slices at once and keeps the others waiting', () => {
    let slice = 0
    write(200, { cached: 1, direct: 1 })
    for (; slice < 2000; slice++) {
      const way = ways.next()
      ways.took(way, sliceBytes, way === 'cached' ? 1 : slice % 3 === 0 ? 30 : 1)
    }
    const { cached, direct } = write(200, { cached: 1, direct: 10 })
    expect(direct).to.be.below(cached)
  })

  it('is through the cache for good where there is no other one', () => {
    write(10, { direct: 1, cached: 10 })
    ways.refuse()
    expect(write(500, { direct: 1, cached: 10 }).direct).to.equal(0)
  })
})
