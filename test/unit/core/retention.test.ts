import { expect } from 'chai'
import type { CalendarSpan } from '../../../src/core/local-time.ts'
import { addToLocal, isoWeek, localTime } from '../../../src/core/local-time.ts'
import { applyRetention } from '../../../src/core/retention.ts'
import type { RetainedSnapshot, RetentionPolicy } from '../../../src/core/retention.ts'
import { simulateRetention } from '../../../src/core/retention-simulation.ts'

type Policy = Partial<RetentionPolicy>

const at = (text: string, more: Partial<RetainedSnapshot> = {}): RetainedSnapshot & { text: string } => {
  return { timeMs: Date.parse(text), tags: [], pinned: false, text, ...more }
}

const later = Date.parse('2030-01-01T00:00:00Z')

function judge(times: readonly (string | RetainedSnapshot)[], policy: Policy, timeZone = 'UTC', nowMs = later) {
  const snapshots = times.map((time) => (typeof time === 'string' ? at(time) : time))
  const verdicts = applyRetention(snapshots, { counts: {}, within: {}, tags: [], ...policy }, { nowMs, timeZone })
  const text = (snapshot: RetainedSnapshot): string => new Date(snapshot.timeMs).toISOString().slice(0, 16)
  return verdicts.filter(({ keep }) => keep).map(({ snapshot, reasons }) => `${text(snapshot)} ${reasons.join('; ')}`)
}

const span = (part: Partial<CalendarSpan>): CalendarSpan => ({ years: 0, months: 0, days: 0, hours: 0, ...part })

describe('retention', () => {
  const days = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'].map((day) => `${day}T10:00:00Z`)

  it('keeps everything when the policy is empty', () => {
    expect(judge(days, {})).to.have.length(4)
    expect(judge(days, { counts: { daily: 0 } })).to.have.length(4)
  })

  it('keeps the newest n, whatever the order of the list', () => {
    const kept = ['2026-03-04T10:00 last snapshot', '2026-03-03T10:00 last snapshot']
    expect(judge(days, { counts: { last: 2 } })).to.deep.equal(kept)
    expect(judge(days.toReversed(), { counts: { last: 2 } })).to.deep.equal(kept)
    expect(judge(days, { counts: { last: Infinity } })).to.have.length(4)
  })

  it('keeps the newest of each period, and counts only periods that have any', () => {
    const times = [
      '2026-01-05T01:00Z',
      '2026-01-05T23:00Z',
      '2026-02-01T08:00Z',
      '2026-02-01T09:00Z',
      '2026-02-20T12:00Z',
    ]
    expect(judge(times, { counts: { daily: 2 } })).to.deep.equal([
      '2026-02-20T12:00 daily snapshot',
      '2026-02-01T09:00 daily snapshot',
    ])
    expect(judge(times, { counts: { monthly: 1 } })).to.deep.equal(['2026-02-20T12:00 monthly snapshot'])
    expect(judge(times, { counts: { hourly: 3 } })).to.have.length(3)
  })

  it('keeps the oldest while some count is left, and says so', () => {
    expect(judge(['2026-02-01T08:00Z', '2026-02-01T09:00Z'], { counts: { daily: 5 } })).to.deep.equal([
      '2026-02-01T09:00 daily snapshot',
      '2026-02-01T08:00 oldest daily snapshot',
    ])
    expect(judge(['2026-02-01T08:00Z', '2026-02-01T09:00Z'], { counts: { daily: 1 } })).to.have.length(1)
  })

  it('lists every reason', () => {
    expect(judge(['2026-02-01T08:00Z'], { counts: { last: 1, daily: 1, yearly: 1 } })).to.deep.equal([
      '2026-02-01T08:00 last snapshot; daily snapshot; yearly snapshot',
    ])
  })

  it('takes of equal times the one committed last', () => {
    const same = [at('2026-02-01T08:00Z', { tags: ['a'] }), at('2026-02-01T08:00Z', { tags: ['b'] })]
    const options = { nowMs: later, timeZone: 'UTC' }
    const [first] = applyRetention(same, { counts: { last: 1 }, within: {}, tags: [] }, options)
    expect(first).to.deep.include({ keep: true, snapshot: same[1] })
  })

  it('counts weeks as ISO 8601 does', () => {
    const weeks = [
      ['2020-12-31', 202053],
      ['2021-01-03', 202053],
      ['2021-01-04', 202101],
      ['2024-12-30', 202501],
      ['2026-12-31', 202653],
      ['2027-01-01', 202653],
      ['2016-02-29', 201609],
    ] as const
    for (const [day, week] of weeks) {
      const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
      expect(isoWeek({ year, month, day: date }), day).to.equal(week)
    }
    const kept = judge(['2020-12-31T12:00Z', '2021-01-01T12:00Z', '2021-01-04T12:00Z'], { counts: { weekly: 2 } })
    expect(kept.map((line) => line.slice(0, 10))).to.deep.equal(['2021-01-04', '2021-01-01'])
  })

  it('counts days and hours on the clock of the zone that it is told', () => {
    // 23:30 and 00:30 in Berlin, both on the same day in London.
    const times = ['2026-01-10T22:30Z', '2026-01-10T23:30Z']
    expect(judge(times, { counts: { daily: 1 } }, 'Europe/London')).to.have.length(1)
    expect(judge(times, { counts: { daily: 2 } }, 'Europe/Berlin')).to.deep.equal([
      '2026-01-10T23:30 daily snapshot',
      '2026-01-10T22:30 daily snapshot',
    ])
    // The hour from two to three comes twice when summer ends: one period, as in restic.
    const twice = ['2026-10-25T00:10Z', '2026-10-25T01:10Z', '2026-10-25T02:10Z']
    expect(judge(twice, { counts: { hourly: 2 } }, 'Europe/Berlin')).to.deep.equal([
      '2026-10-25T02:10 hourly snapshot',
      '2026-10-25T01:10 hourly snapshot',
    ])
  })

  it('keeps what is newer than a span before the newest, on the calendar', () => {
    const times = ['2024-01-29T12:00Z', '2024-02-29T12:00Z', '2024-03-28T12:00Z', '2024-03-30T12:00Z']
    const monthly = judge(times, { within: { all: span({ months: 1 }) } })
    // A month before 30 March is 30 February, which is 1 March.
    expect(monthly).to.deep.equal(['2024-03-30T12:00 within 1m', '2024-03-28T12:00 within 1m'])
    expect(judge(times, { within: { all: span({ years: 1, days: 2 }) } })).to.have.length(4)
    expect(judge(times, { within: { daily: span({ days: 2, hours: 1 }) } })[0]).to.contain('daily within 2d1h')
  })

  it('excludes what is exactly as old as the span', () => {
    expect(judge(['2024-03-29T12:00Z', '2024-03-30T12:00Z'], { within: { all: span({ days: 1 }) } })).to.have.length(1)
  })

  it('measures from the newest that is not in the future', () => {
    const times = ['2026-01-01T00:00Z', '2026-01-02T00:00Z', '2029-01-01T00:00Z']
    const kept = judge(times, { within: { all: span({ days: 2 }) } }, 'UTC', Date.parse('2026-01-03T00:00Z'))
    expect(kept).to.have.length(3)
    expect(judge(times, { within: { all: span({ days: 2 }) } })).to.have.length(1)
  })

  it('keeps what has all tags of one list, and that does not count', () => {
    const times = [at('2026-01-01T00:00Z', { tags: ['a', 'b'] }), at('2026-01-02T00:00Z', { tags: ['a'] }), ...days]
    const kept = judge(times, { tags: [['a', 'b'], ['c']], counts: { last: 1 } })
    expect(kept).to.deep.equal(['2026-03-04T10:00 last snapshot', '2026-01-01T00:00 has tags [a, b]'])
  })

  it('keeps what is pinned', () => {
    const times = [at('2026-01-01T00:00Z', { pinned: true }), ...days]
    expect(judge(times, { counts: { last: 1 } })).to.deep.equal([
      '2026-03-04T10:00 last snapshot',
      '2026-01-01T00:00 pinned',
    ])
  })

  it('shows what stays as backups go on', () => {
    const plan = { fromMs: Date.parse('2026-01-01T12:00Z'), everyMs: 86_400_000, count: 365, timeZone: 'UTC' }
    const policy = { counts: { daily: 7, weekly: 4, monthly: 6 }, within: {}, tags: [] }
    const { steps, kept } = simulateRetention([], policy, plan)
    expect(steps).to.have.length(365)
    expect(kept.length).to.be.within(14, 17)
    expect(steps.at(-1)?.kept).to.equal(kept.length)
    expect(new Date(kept.at(-1)?.timeMs ?? 0).toISOString().slice(0, 7)).to.equal('2026-07')
  })
})

describe('local time', () => {
  it('follows the clock of a zone', () => {
    expect(localTime(Date.parse('2026-07-01T23:30:15Z'), 'Asia/Kolkata')).to.deep.equal({
      ...{ year: 2026, month: 7, day: 2, hour: 5, minute: 0, second: 15 },
    })
  })

  it('adds days by the calendar and hours by time', () => {
    const add = (text: string, more: Partial<CalendarSpan>): string =>
      new Date(addToLocal(Date.parse(text), span(more), 'Europe/Berlin')).toISOString()
    expect(add('2026-03-28T12:00:00Z', { days: 1 })).to.equal('2026-03-29T11:00:00.000Z')
    expect(add('2026-03-28T12:00:00Z', { hours: 24 })).to.equal('2026-03-29T12:00:00.000Z')
    expect(add('2026-03-28T01:30:00Z', { days: 1 })).to.equal('2026-03-29T01:30:00.000Z')
    expect(add('2024-02-29T12:00:00Z', { years: 1 })).to.equal('2025-03-01T12:00:00.000Z')
    expect(add('2026-10-25T12:00:00.250Z', { days: -1 })).to.equal('2026-10-24T11:00:00.250Z')
  })
})
