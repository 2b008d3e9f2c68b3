import { expect } from 'chai'
import { JobRunner } from '../../../src/tui/job-runner.ts'
import type { Job, News } from '../../../src/tui/work.ts'

const job = (id: number, cancelled = false): Job => ({ id, work: { kind: 'doctor' }, startedMs: 0, cancelled })

describe('jobs under way', () => {
  let reasons: unknown[]
  let news: News[]
  let runner: JobRunner
  beforeEach(() => {
    reasons = []
    news = []
    const perform = (_job: Job, { signal }: { signal: AbortSignal }): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason)
          reject(signal.reason as Error)
        })
      })
    runner = new JobRunner(perform, (_id, what) => void news.push(what))
  })

  it('end with words that people read in a history, when they are cancelled and when the client is left', async () => {
    runner.sync([job(1), job(2)])
    runner.sync([job(1, true), job(2)])
    expect(reasons).to.have.length(1)
    await runner.stop()
    expect(reasons.map(String)).to.deep.equal(Array(2).fill('TwofoldError: it was cancelled'))
    expect(news.map(({ kind }) => kind)).to.deep.equal(['ended', 'ended'])
    for (const what of news) expect(what).to.include({ problem: undefined, cancelled: true })
  })

  it('are not begun once more when they are over and the state has not heard of it yet', async () => {
    runner.sync([job(1), job(2)])
    await runner.stop()
    runner.sync([job(1), job(2)])
    runner.sync([job(1, true), job(2, true)])
    expect(reasons).to.have.length(2)
    expect(news).to.have.length(2)
  })
})
