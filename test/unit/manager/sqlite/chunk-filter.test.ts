import { hash } from 'node:crypto'
import { expect } from 'chai'
import type { ChunkId } from '../../../../src/core/ids.ts'
import { ChunkFilter } from '../../../../src/manager/sqlite/chunk-filter.ts'

const idOf = (n: number): ChunkId => hash('sha256', String(n), 'buffer') as unknown as ChunkId

describe('the filter of chunk ids', () => {
  it('never misses one that was added, however full it is', () => {
    const filter = new ChunkFilter(100)
    for (let n = 0; n < 200_000; n++) filter.add(idOf(n))
    for (let n = 0; n < 200_000; n++) expect(filter.mayHave(idOf(n))).to.equal(true)
    expect(filter.full).to.equal(true)
  })

  it('takes few others for present while it is not full', () => {
    const filter = new ChunkFilter(52_000)
    for (let n = 0; n < 52_000; n++) filter.add(idOf(n))
    expect(filter.full).to.equal(false)
    let wrong = 0
    for (let n = 1_000_000; n < 1_020_000; n++) if (filter.mayHave(idOf(n))) wrong += 1
    expect(wrong).to.be.below(600)
  })

  it('has nothing at first', () => {
    expect(new ChunkFilter(0).mayHave(idOf(1))).to.equal(false)
  })
})
