import { expect } from 'chai'
import { ByteBudget, withinBudget } from '../../../src/core/byte-budget.ts'
import { systemClock } from '../../../src/system/clock.ts'

async function* slices(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) yield await Promise.resolve(new Uint8Array(length))
}

describe('ByteBudget', () => {
  it('serves in order, also a small share behind a large one', async () => {
    const budget = new ByteBudget(10)
    const order: number[] = []
    await budget.acquire(6)
    const waiting = [9, 2, 3].map((bytes) => budget.acquire(bytes).then(() => order.push(bytes)))
    await systemClock.yield()
    expect(order).to.deep.equal([])
    budget.release(6)
    await systemClock.yield()
    expect(order).to.deep.equal([9])
    budget.release(9)
    await Promise.all(waiting)
    expect([order, budget.usedBytes, budget.waiting]).to.deep.equal([[9, 2, 3], 5, 0])
  })

  it('gives a share larger than all when nothing else is in use', async () => {
    const budget = new ByteBudget(10)
    await budget.acquire(25)
    const next = budget.acquire(1)
    expect(budget.waiting).to.equal(1)
    budget.release(25)
    await next
    expect(budget.usedBytes).to.equal(1)
  })

  it('forgets who gives up, and serves those behind', async () => {
    const budget = new ByteBudget(10)
    await budget.acquire(8)
    const controller = new AbortController()
    const large = budget.acquire(9, controller.signal)
    const small = budget.acquire(2)
    controller.abort(new Error('no longer'))
    expect(await large.catch((error: unknown) => error)).to.have.property('message', 'no longer')
    await small
    expect([budget.usedBytes, budget.waiting]).to.deep.equal([10, 0])
    expect(await budget.acquire(1, controller.signal).catch((error: unknown) => error)).to.be.an('error')
    expect(budget.waiting).to.equal(0)
  })

  it('holds one slice of a stream at a time, whatever becomes of it', async () => {
    const budget = new ByteBudget(10)
    const used: number[] = []
    for await (const _ of withinBudget(slices(3, 7, 25), budget)) used.push(budget.usedBytes)
    expect(used).to.deep.equal([3, 7, 25])
    for await (const _ of withinBudget(slices(4, 4), budget)) break
    expect(budget.usedBytes).to.equal(0)
    const failing = async (): Promise<void> => {
      for await (const _ of withinBudget(slices(4, 4), budget)) throw new Error('it failed')
    }
    await failing().catch(() => undefined)
    expect(budget.usedBytes).to.equal(0)
  })
})
