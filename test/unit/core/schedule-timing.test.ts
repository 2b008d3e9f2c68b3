import { expect } from 'chai'
import { Cron } from 'croner'
import fc from 'fast-check'
import { nextMoment } from '../../../src/core/calendar-next.ts'
import { readCalendar } from '../../../src/core/calendar-rule.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { localTime } from '../../../src/core/local-time.ts'
import { graceOf, jitterOf, nextTime, readEvery, readTiming, spacing } from '../../../src/core/schedule-timing.ts'

const minuteMs = 60_000
const at = (text: string): number => Date.parse(text)

/** The next times of an expression, as UTC. */
function times(expression: string, timeZone: string, after: string, count = 1): string[] {
  const rule = readCalendar(expression)
  const found: string[] = []
  for (let from = at(after); found.length < count;) {
    const next = nextMoment(rule, timeZone, from)
    if (next === undefined) break
    found.push(new Date(next).toISOString().slice(0, 16))
    from = next
  }
  return found
}

/** The words of an error, and the character that it points to. */
function refusal(work: () => unknown): { message: string; position: string } {
  try {
    work()
  } catch (error) {
    if (error instanceof TwofoldError) return { message: error.message, position: error.fields['position'] ?? '' }
    throw error
  }
  throw new Error('it was not refused')
}

describe('a calendar expression', () => {
  it('means weekdays, dates and times', () => {
    // 2026-11-21 is a Saturday.
    expect(times('mon..fri 02:30', 'UTC', '2026-11-20T02:30Z')).to.deep.equal(['2026-11-23T02:30'])
    expect(times('sat,sun 8..10:0/30', 'UTC', '2026-11-21T09:00Z', 3)).to.deep.equal([
      '2026-11-21T09:30',
      '2026-11-21T10:00',
      '2026-11-21T10:30',
    ])
    expect(times('*-*-01 04:00', 'UTC', '2026-11-21T00:00Z', 2)).to.deep.equal(['2026-12-01T04:00', '2027-01-01T04:00'])
    expect(times('02-29', 'UTC', '2026-01-01T00:00Z', 2)).to.deep.equal(['2028-02-29T00:00', '2032-02-29T00:00'])
    expect(times('sun 02-29 12:00', 'UTC', '2026-01-01T00:00Z')).to.deep.equal(['2032-02-29T12:00'])
    expect(times('2030-12-24 18:00:00', 'UTC', '2026-01-01T00:00Z', 2)).to.deep.equal(['2030-12-24T18:00'])
    expect(times('fri..mon 00:00', 'UTC', '2026-11-21T00:00Z', 3).map((time) => time.slice(8, 10))).to.deep.equal([
      ...['22', '23', '27'],
    ])
    expect(times('Daily 02:30', 'UTC', '2026-11-21T02:30Z')).to.deep.equal(['2026-11-22T02:30'])
    expect(times('weekly', 'UTC', '2026-11-21T00:00Z')).to.deep.equal(['2026-11-23T00:00'])
    expect(times('@hourly', 'UTC', '2026-11-21T00:00Z')).to.deep.equal(['2026-11-21T01:00'])
    expect(times('Monday', 'UTC', '2026-11-21T00:00Z')).to.deep.equal(['2026-11-23T00:00'])
  })

  it('may be the five fields of cron', () => {
    expect(times('30 2 * * 1-5', 'UTC', '2026-11-20T02:30Z')).to.deep.equal(['2026-11-23T02:30'])
    expect(times('0 0 13 * fri', 'UTC', '2026-11-21T00:00Z', 2)).to.deep.equal(['2026-11-27T00:00', '2026-12-04T00:00'])
    expect(times('0 0 */10 * 7', 'UTC', '2026-11-21T00:00Z')).to.deep.equal(['2027-01-31T00:00'])
  })

  it('leaves out no night in which the clock is set forward', () => {
    expect(times('02:30', 'Europe/Berlin', '2026-03-28T12:00Z', 2)).to.deep.equal([
      '2026-03-29T01:30', // the clock shows 03:30 then
      '2026-03-30T00:30',
    ])
    expect(times('2,3:10,45', 'Europe/Berlin', '2026-03-29T00:00Z', 3)).to.deep.equal([
      '2026-03-29T01:10',
      '2026-03-29T01:45',
      '2026-03-30T00:10',
    ])
  })

  it('means the first of two equal times where the clock is set back, and both where every hour is meant', () => {
    expect(times('02:30', 'Europe/Berlin', '2026-10-24T12:00Z', 2)).to.deep.equal([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ])
    expect(times('*:30', 'Europe/Berlin', '2026-10-24T23:40Z', 3)).to.deep.equal([
      '2026-10-25T00:30',
      '2026-10-25T01:30',
      '2026-10-25T02:30',
    ])
  })

  it('comes again by exactly what a clock shows, whatever the zone (property)', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
      'Africa/Casablanca',
    ]
    const list = (least: number, most: number): fc.Arbitrary<string> =>
      fc.oneof(fc.constant('*'), fc.uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1 }).map(String))
    const rules = fc.tuple(list(0, 59), list(0, 23), fc.constantFrom('', 'mon..fri', 'sun', 'tue,sat'))
    const moments = fc.integer({ min: at('2026-01-01T00:00Z') / minuteMs, max: at('2028-01-01T00:00Z') / minuteMs })
    fc.assert(
      fc.property(rules, fc.constantFrom(...zones), moments, ([minutes, hours, days], zone, minute) => {
        const rule = readCalendar(`${days} ${hours}:${minutes}`.trim())
        const after = minute * minuteMs
        const next = nextMoment(rule, zone, after) ?? 0
        const shows = (ms: number): boolean => {
          const time = localTime(ms, zone)
          const weekday = new Date(Date.UTC(time.year, time.month - 1, time.day)).getUTCDay()
          return rule.minutes.includes(time.minute) && rule.hours.includes(time.hour) && rule.weekdays.includes(weekday)
        }
        expect(next).to.be.above(after)
        // Nothing is passed over, but for what a clock that was set back shows a second time.
        const end = Math.min(next, after + 1500 * minuteMs)
        for (let ms = after + minuteMs; ms < end; ms += minuteMs) {
          if (shows(ms))
            expect(shows(ms - 3_600_000) || shows(ms - 1_800_000), new Date(ms).toISOString()).to.equal(true)
        }
        // What is not shown was skipped by a clock that was set forward.
        if (!shows(next))
          expect(localTime(next - 3 * 3_600_000, zone).hour).not.to.equal(localTime(next, zone).hour - 3)
      }),
      { numRuns: 60, seed: 7 },
    )
  })

  it('agrees with another reader of cron (property)', () => {
    const field = (least: number, most: number): fc.Arbitrary<string> => {
      const number = fc.integer({ min: least, max: most })
      const span = fc.tuple(number, number).map((ends) => ends.sort((a, b) => a - b).join('-'))
      const step = fc.integer({ min: 1, max: most - least }).map((every) => `*/${every}`)
      return fc.oneof(fc.constant('*'), number.map(String), span, step)
    }
    const crons = fc.tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
    const moments = fc.integer({ min: at('2026-01-01T00:00Z') / minuteMs, max: at('2028-01-01T00:00Z') / minuteMs })
    fc.assert(
      fc.property(crons, moments, (fields, minute) => {
        const expression = fields.join(' ')
        const next = nextMoment(readCalendar(expression), 'UTC', minute * minuteMs)
        const other = new Cron(expression, { timezone: 'UTC' }).nextRun(new Date(minute * minuteMs))
        // The other one reads a day such as */10 as a restriction where a weekday is given, too.
        if (fields[2].startsWith('*/') || fields[4].startsWith('*/')) return
        expect(next).to.equal(other?.getTime())
      }),
      { numRuns: 200, seed: 11 },
    )
  })

  it('is refused with the place where it goes wrong', () => {
    const places: readonly (readonly [string, string, string])[] = [
      ['mon..fri 25:30', '9', 'hour'],
      ['mon..frx 02:30', '5', 'weekday'],
      ['mon 02:60', '7', 'minute'],
      ['12:00 13:00', '6', 'nothing comes after the time'],
      ['0 2 * *', '7', 'five fields'],
      ['0 2 * * 1 9', '10', 'five fields'],
      ['*-13-01 02:00', '2', 'month'],
      ['02:30:15', '6', 'whole minutes'],
      ['10..5:00', '0', 'end of a range'],
      ['*/0 * * * *', '2', 'step'],
      ['', '0', 'mon..fri 02:30'],
      ['half past two', '0', 'weekday'],
      ['02-30 01:00', '0', 'never comes'],
    ]
    for (const [text, position, words] of places) {
      const { message, position: found } = refusal(() => readTiming({ every: '', at: text || ' ', timeZone: '' }))
      expect(found, `${text}: ${message}`).to.equal(position)
      expect(message).to.contain(words)
    }
    expect(refusal(() => readTiming({ every: '', at: 'daily', timeZone: 'Mars/Olympus' })).message).to.contain(
      'no time zone "Mars/Olympus"',
    )
  })

  it('never loops, whatever is written (property)', () => {
    const words = fc.array(fc.constantFrom(...'*,.-/:0159 mon fri ..'.split(''), 'mon', '..'), { maxLength: 24 })
    fc.assert(
      fc.property(words, (parts) => {
        try {
          const plan = readTiming({ every: '', at: parts.join(''), timeZone: 'Europe/Berlin' })
          const now = at('2026-11-21T00:00Z')
          expect(nextTime(plan, now, now) ?? Infinity).to.be.above(now)
        } catch (error) {
          if (!(error instanceof TwofoldError)) throw error
          expect(error.code).to.equal('invalid-argument')
        }
      }),
      { numRuns: 300, seed: 3 },
    )
  })
})

describe('a span', () => {
  it('is read with its units', () => {
    expect(readEvery('15m')).to.equal(15 * minuteMs)
    expect(readEvery('1h30m')).to.equal(90 * minuteMs)
    expect(readEvery('1h 30m')).to.equal(90 * minuteMs)
    expect(readEvery('2D')).to.equal(48 * 60 * minuteMs)
    expect(readEvery('1w')).to.equal(7 * 24 * 60 * minuteMs)
  })

  it('is refused with words when it is too short, too long, or none', () => {
    expect(refusal(() => readEvery('0s')).message).to.contain('at least 10s apart')
    expect(refusal(() => readEvery('400d')).message).to.contain('at most 366d apart')
    expect(refusal(() => readEvery('15'))).to.include({ position: '2' })
    expect(refusal(() => readEvery('15x'))).to.include({ position: '2' })
    expect(refusal(() => readEvery('1h-5m'))).to.include({ position: '2' })
    expect(refusal(() => readEvery(' ')).message).to.contain('write for example')
    for (const timing of [
      { every: '', at: '', timeZone: '' },
      { every: '1h', at: 'daily', timeZone: '' },
      { every: '1h', at: '', timeZone: 'Europe/Berlin' },
    ]) {
      expect(() => readTiming(timing)).to.throw(TwofoldError)
    }
  })

  it('is counted from its beginning, which is its first time', () => {
    const plan = readTiming({ every: '15m', at: '', timeZone: '' })
    const begin = at('2026-11-21T10:07Z')
    expect(nextTime(plan, begin - 1, begin)).to.equal(begin)
    expect(nextTime(plan, begin, begin)).to.equal(begin + 15 * minuteMs)
    expect(nextTime(plan, begin + 31 * minuteMs, begin)).to.equal(begin + 45 * minuteMs)
    expect(nextTime(plan, begin - 1e9, begin)).to.equal(begin)
  })
})

describe('jitter', () => {
  it('is the same for a schedule every time, and at most a tenth and five minutes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f]{32}$/), fc.integer({ min: 10_000, max: 1e10 }), (id, spacingMs) => {
        const jitter = jitterOf(id, spacingMs)
        expect(jitter).to.equal(jitterOf(id, spacingMs))
        expect(jitter).to.be.within(0, Math.min(spacingMs / 10, 300_000))
      }),
    )
    expect(jitterOf('80000000', 86_400_000)).to.equal(150_000)
  })

  it('and the time after which a run is overdue follow the time between two runs', () => {
    const plan = readTiming({ every: '', at: 'mon..fri 02:30', timeZone: 'UTC' })
    expect(spacing(plan, at('2026-11-20T03:00Z'))).to.equal(86_400_000)
    expect(spacing(plan, at('2026-11-20T01:00Z'))).to.equal(3 * 86_400_000)
    expect(graceOf(10_000)).to.equal(120_000)
    expect(graceOf(15 * minuteMs)).to.equal(7.5 * minuteMs)
    expect(graceOf(86_400_000)).to.equal(60 * minuteMs)
  })
})
