import { expect } from 'chai'
import { IdleWatch } from '../../../src/rpc/idle-watch.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

describe('IdleWatch', () => {
  let clock: VirtualClock
  let fired: number
  let watch: IdleWatch
  beforeEach(() => {
    clock = new VirtualClock()
    fired = 0
    watch = new IdleWatch({ clock, idleMs: 100, onIdle: () => (fired += 1) })
  })
  afterEach(() => watch.stop())

  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await clock.yield()
  }

  it('fires once when the other side is late', async () => {
    watch.waiting()
    await pass(99)
    expect(fired).to.equal(0)
    await pass(1)
    expect(fired).to.equal(1)
    await pass(1000)
    expect(fired).to.equal(1)
  })

  it('counts from the last movement, to the millisecond', async () => {
    watch.waiting()
    await pass(60)
    watch.moved()
    await pass(10)
    watch.waiting()
    await pass(99)
    expect(fired).to.equal(0)
    await pass(1)
    expect(fired).to.equal(1)
  })

  it('does not count while this side is busy', async () => {
    for (let turn = 0; turn < 10; turn++) await pass(100)
    expect(fired).to.equal(0)
  })

  it('leaves no timer when it is stopped', async () => {
    watch.waiting()
    watch.stop()
    await pass(1000)
    expect([fired, clock.sleeping]).to.deep.equal([0, 0])
  })
})
