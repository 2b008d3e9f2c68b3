import { expect } from 'chai'
import { Admission } from '../../../src/core/admission.ts'
import { roomWaitMs } from '../../../src/core/backoff.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { roomRetryMostMs } from '../../../src/core/limits.ts'
import { persistently } from '../../../src/core/persistently.ts'
import { AutoClock } from '../../support/auto-clock.ts'
import { expectError } from '../../support/expect-error.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

describe('admission', () => {
  let clock: AutoClock
  let door: Admission

  beforeEach(() => {
    clock = new AutoClock()
    door = new Admission({ clock, bytes: 10, waitMs: 1000, waitersMax: 2, who: 'this test' })
  })

  it('lets in what fits, refuses after a while what does not, and says when to come back', async () => {
    const leave = await door.enter(7)
    await door.enter(3)
    const error = await expectError(door.enter(1), 'overloaded')
    expect(error.message).to.contain('this test has no room')
    expect(error.retryAfterMs).to.be.greaterThan(0)
    expect([clock.monotonicMs(), door.usedBytes, door.waiting]).to.deep.equal([1000, 10, 0])
    leave()
    leave()
    expect(door.usedBytes).to.equal(3)
    await door.enter(7)
    expect(clock.monotonicMs()).to.equal(1000)
  })

  it('serves in the order of arrival, and refuses at once who comes when too many wait', async () => {
    const leave = await door.enter(10)
    const order: string[] = []
    const waiting = [door.enter(8).then(() => order.push('large')), door.enter(1).then(() => order.push('small'))]
    const first = await expectError(door.enter(1), 'overloaded')
    expect(clock.monotonicMs()).to.equal(0)
    leave()
    await Promise.all(waiting)
    expect([order, door.usedBytes]).to.deep.equal([['large', 'small'], 9])
    expect(first.retryAfterMs).to.be.greaterThan(250)
  })

  it('takes nothing for somebody who gives up while waiting', async () => {
    const leave = await door.enter(10)
    const controller = new AbortController()
    const waiting = expectError(door.enter(5, controller.signal), 'cancelled')
    controller.abort(new TwofoldError('cancelled', 'never mind'))
    await waiting
    leave()
    expect([door.usedBytes, door.waiting]).to.deep.equal([0, 0])
  })
})

describe('whoever was refused', () => {
  it('waits at least as long as asked, not in step with others, and not for ever', () => {
    const random = new SeededRandom(3)
    const waits = Array.from({ length: 50 }, (_, attempt) => roomWaitMs(300, attempt, random))
    expect(Math.min(...waits)).to.be.at.least(300)
    expect(new Set(waits.slice(0, 5)).size).to.equal(5)
    expect(Math.max(...waits)).to.be.at.most(roomRetryMostMs)
    expect(roomWaitMs(undefined, 0, random)).to.be.greaterThan(0)
  })

  it('goes on beyond the patience for somebody who does not answer', async () => {
    const clock = new AutoClock()
    const persistence = { clock, random: new SeededRandom(1), patienceMs: 1000 }
    let calls = 0
    const work = (): Promise<string> => {
      calls += 1
      if (calls % 2 === 0) return Promise.reject(new TwofoldError('unavailable', 'gone'))
      if (calls < 60) return Promise.reject(new TwofoldError('overloaded', 'full', { retryAfterMs: 500 }))
      return Promise.resolve('done')
    }
    expect(await persistently(work, persistence)).to.equal('done')
    expect(clock.monotonicMs()).to.be.greaterThan(30 * 500)
    const gone = (): Promise<never> => Promise.reject(new TwofoldError('unavailable', 'gone'))
    await expectError(persistently(gone, persistence), 'unavailable')
  })
})
