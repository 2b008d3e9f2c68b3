import { expect } from 'chai'
import { ConcurrentWork } from '../../../../src/client/concurrent-work.ts'

describe('ConcurrentWork', () => {
  it('has no more pieces in progress than it may, and settles when all are over', async () => {
    const work = new ConcurrentWork(2)
    const ends: (() => void)[] = []
    const piece = (): Promise<void> => new Promise((resolve) => ends.push(resolve))
    await work.start(piece)
    await work.start(piece)
    let third = false
    const starting = work.start(piece).then(() => (third = true))
    await Promise.resolve()
    expect([ends.length, third]).to.deep.equal([2, false])
    ends[0]?.()
    await starting
    expect(ends.length).to.equal(3)
    const settled = work.settle()
    for (const end of ends) end()
    await settled
  })

  it('tells the first failure to whoever starts more or waits', async () => {
    const work = new ConcurrentWork(1)
    const failure = new Error('first')
    await work.start(() => Promise.reject(failure))
    const told = (promise: Promise<void>): Promise<unknown> => promise.catch((error: unknown) => error)
    expect(await told(work.start(() => Promise.resolve()))).to.equal(failure)
    expect(await told(work.start(() => Promise.resolve()))).to.equal(failure)
    expect(await told(work.settle())).to.equal(failure)
  })
})
