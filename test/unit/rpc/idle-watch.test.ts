import { expect } from 'chai'
import { IdleWatch } from '../../../src/rpc/idle-watch.ts'
import { ManualClock } from '../../support/manual-clock.ts'

describe('IdleWatch', () => {
  let clock: ManualClock
  let fired: number
  let watch: IdleWatch
  beforeEach(() => {
    clock = new ManualClock()
    fired = 0
    watch = new IdleWatch({ clock, idleMs: 100, onIdle: () => (fired += 1) })
  })
  afterEach(() => watch.stop())

  it('fires once when the other side is late', async () => {
    watch.waiting()
    await clock.advance(99)
    expect(fired).to.equal(0)
    await clock.advance(1)
    expect(fired).to.equal(1)
    await clock.advance(1000)
    expect(fired).to.equal(1)
  })

  it('counts from the last movement, to the millisecond', async () => {
    watch.waiting()
    await clock.advance(60)
    watch.moved()
    await clock.advance(10)
    watch.waiting()
    await clock.advance(99)
    expect(fired).to.equal(0)
    await clock.advance(1)
    expect(fired).to.equal(1)
  })

  it('does not count while this side is busy', async () => {
    for (let turn = 0; turn < 10; turn++) await clock.advance(100)
    expect(fired).to.equal(0)
  })

  it('leaves no timer when it is stopped', async () => {
    watch.waiting()
    watch.stop()
    await clock.advance(1000)
    expect([fired, clock.sleeping]).to.deep.equal([0, 0])
  })
})
