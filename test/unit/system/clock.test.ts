import { expect } from 'chai'
import { systemClock } from '../../../src/system/clock.ts'

describe('the real clock', () => {
  it('goes on, and never back', async () => {
    const start = systemClock.monotonicMs()
    await systemClock.sleep(5)
    expect(systemClock.monotonicMs() - start).to.be.at.least(4)
    expect(systemClock.nowMs()).to.be.greaterThan(1_700_000_000_000)
  })

  it('does not sleep longer than no time at all', async () => {
    await systemClock.sleep(0)
    await systemClock.sleep(-5)
  })

  it('wakes with the reason of an abort, at once, and leaves no listener', async () => {
    const controller = new AbortController()
    const asleep = systemClock.sleep(2 ** 40, controller.signal)
    controller.abort(new Error('get up'))
    expect(await asleep.catch((thrown: unknown) => thrown)).to.have.property('message', 'get up')
    const late = systemClock.sleep(1000, controller.signal)
    expect(await late.catch((thrown: unknown) => thrown)).to.have.property('message', 'get up')
  })

  it('lets others go first', async () => {
    let others = false
    setImmediate(() => (others = true))
    await systemClock.yield()
    expect(others).to.equal(true)
  })
})
