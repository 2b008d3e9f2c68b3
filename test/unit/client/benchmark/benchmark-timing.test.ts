import { expect } from 'chai'
import { measureRate, measureRoundTrip, rateOf } from '../../../../src/client/benchmark-timing.ts'
import { quantile } from '../../../../src/core/quantile.ts'
import type { Pace } from '../../../../src/client/benchmark-timing.ts'
import { TwofoldError } from '../../../../src/core/errors.ts'
import { expectError } from '../../../support/expect-error.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'

function paceOf(clock: VirtualClock, signal = new AbortController().signal): Pace {
  return { clock, signal, seconds: 1 }
}

describe('the timing of a benchmark', () => {
  it('repeats a step until the time is over', async () => {
    const clock = new VirtualClock()
    const rate = await measureRate(paceOf(clock), () => {
      clock.advance(300)
      return 600
    })
    expect(rate).to.deep.equal({ bytes: 2400, seconds: 1.2, bytesPerSecond: 2000 })
  })

  it('ends with the bytes that were asked for', async () => {
    const clock = new VirtualClock()
    const step = (): number => {
      clock.advance(1)
      return 10
    }
    expect((await measureRate(paceOf(clock), step, 25)).bytes).to.equal(30)
  })

  it('ends when it is interrupted', async () => {
    const controller = new AbortController()
    const step = (): number => {
      controller.abort(new TwofoldError('cancelled', 'enough'))
      return 1
    }
    await expectError(measureRate(paceOf(new VirtualClock(), controller.signal), step), 'cancelled')
  })

  it('makes no rate infinite', () => {
    expect(rateOf(5, 0).bytesPerSecond).to.be.finite.and.above(0)
  })

  it('times calls, but not the one that connects', async () => {
    const clock = new VirtualClock()
    const times = [900, 10, 30, 20, 940]
    const call = async (): Promise<void> => clock.advance(times.shift() ?? 0)
    expect(await measureRoundTrip(paceOf(clock), call)).to.deep.equal({ calls: 4, medianMs: 20, p99Ms: 940 })
  })

  it('takes quantiles by the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at + 1)
    expect([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile(hundred, 1)]).to.deep.equal([50, 99, 100])
    expect([quantile([7], 0.5), quantile([7], 0.99)]).to.deep.equal([7, 7])
  })
})
