import { expect } from 'chai'
import { tuiPollMs, tuiRetryFirstMs, tuiRetryMostMs } from '../../../src/core/client-limits.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { followCluster } from '../../../src/tui/jobs/follow-cluster.ts'
import type { News } from '../../../src/tui/work.ts'
import { createTuiFixture } from '../../support/tui-fixture.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

describe('following the cluster', () => {
  it('tries again after longer and longer pauses, and goes on by itself once the manager is back', async () => {
    const { cluster, client, end } = await createTuiFixture()
    const clock = new VirtualClock()
    const stop = new AbortController()
    const told: News[] = []
    let away = true
    cluster.faults.before = () => {
      if (away) throw new TwofoldError('unavailable', 'gone')
    }
    const deps = { client, clock, random: cluster.random }
    const over = followCluster(deps, { signal: stop.signal, tell: (news) => told.push(news) })
    const until = async (enough: () => boolean, stepMs: number): Promise<void> => {
      for (let turn = 0; !enough(); turn++) {
        if (turn > 5000) throw new Error('it does not come')
        clock.advance(stepMs)
        await clock.yield()
      }
    }
    await until(() => told.length >= 8, 250)
    const pauses = told.map((news) => (news.kind === 'lost' ? news.retryMs : -1))
    expect(pauses[0]).to.be.within(0, tuiRetryFirstMs)
    for (const pause of pauses) expect(pause).to.be.within(0, tuiRetryMostMs)
    expect(Math.max(...pauses.slice(4))).to.be.greaterThan(4 * tuiRetryFirstMs)
    away = false
    await until(() => told.some(({ kind }) => kind === 'status'), 250)
    const before = told.length
    await until(() => told.slice(before).some(({ kind }) => kind === 'status'), tuiPollMs)
    stop.abort()
    await over.catch(() => undefined)
    await end()
  })
})
