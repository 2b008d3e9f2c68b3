import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { ErrorCode } from '../../../src/core/errors.ts'
import { retrying } from '../../../src/rpc/retry.ts'
import { systemRandom } from '../../../src/system/random.ts'
import { AutoClock } from '../../support/auto-clock.ts'

function failing(times: number, code: ErrorCode, retryAfterMs?: number): () => Promise<number> {
  let calls = 0
  return () => {
    calls += 1
    if (calls > times) return Promise.resolve(calls)
    return Promise.reject(
      new TwofoldError(code, `failure ${calls}`, retryAfterMs === undefined ? {} : { retryAfterMs }),
    )
  }
}

describe('retrying', () => {
  const options = () => ({ clock: new AutoClock(), random: systemRandom, retryFor: 60_000 })

  it('goes on until it succeeds', async () => {
    expect(await retrying(failing(5, 'unavailable'), options())).to.equal(6)
    expect(await retrying(failing(2, 'deadline-exceeded'), options())).to.equal(3)
  })

  for (const code of ['integrity', 'failed-precondition', 'no-room', 'cancelled', 'internal'] as const) {
    it(`does not try again after ${code}`, async () => {
      const error = await retrying(failing(1, code), options()).catch((thrown: unknown) => thrown)
      expect(error).to.include({ code, message: 'failure 1' })
    })
  }

  it('tries again after what it is told to', async () => {
    expect(await retrying(failing(1, 'no-room'), { ...options(), codes: ['no-room'] })).to.equal(2)
  })

  it('gives up in time, with the last failure', async () => {
    const clock = new AutoClock()
    const work = retrying(failing(Infinity, 'unavailable'), { clock, random: systemRandom, retryFor: 5_000 })
    const error = (await work.catch((thrown: unknown) => thrown)) as TwofoldError
    expect(error.code).to.equal('unavailable')
    expect(error.message).not.to.equal('failure 1')
    expect(clock.monotonicMs()).to.be.within(2_000, 5_000)
  })

  it('waits as long as it is asked to', async () => {
    const clock = new AutoClock()
    await retrying(failing(1, 'unavailable', 7_000), { clock, random: systemRandom, retryFor: 60_000 })
    expect(clock.monotonicMs()).to.be.at.least(7_000)
  })

  it('stops waiting when it is told to', async () => {
    const controller = new AbortController()
    const work = retrying(
      () => {
        controller.abort()
        return Promise.reject(new TwofoldError('unavailable', 'x'))
      },
      { ...options(), signal: controller.signal },
    )
    expect(await work.catch((thrown: unknown) => thrown)).to.include({ code: 'cancelled' })
  })
})
