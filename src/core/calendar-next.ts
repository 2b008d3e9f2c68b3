import type { CalendarRule } from './calendar-rule.ts'
import { localTime, momentOf, offsetAt } from './local-time.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
/** The 29th of February falls on a given weekday at least once in forty years, also around 2100. */
const yearsAhead = 40
/** Clocks are ahead of UTC by 14 hours at most and behind by 12, and are set by less than three. */
const marginMs = 3 * 3_600_000

/**
 * The first moment after `afterMs` that the rule means, in milliseconds; undefined when it never comes.
 *
 * Where a clock is set forward, what it skips comes as much later as it skips, so that a nightly backup is left out in
 * no night. Where it is set back, what it shows twice means the first time; only a rule for every hour means both, so
 * that no hour passes without.
 */
export function nextMoment(rule: CalendarRule, timeZone: string, afterMs: number): number | undefined {
  const { year, month, day } = localTime(afterMs, timeZone)
  const end = Date.UTC(year + yearsAhead, month - 1, day)
  // A day earlier, for what was skipped at its end.
  for (let date = Date.UTC(year, month - 1, day) - dayMs; date < end; date = nextDay(rule, date)) {
    if (!isMeant(rule, date)) continue
    const moment = momentsOf(rule, timeZone, date).find((each) => each > afterMs)
    if (moment !== undefined) return moment
  }
  return undefined
}

/** The day after, or the first of the next month when the rule leaves the rest of this one out. */
function nextDay({ months }: CalendarRule, date: number): number {
  const at = new Date(date)
  const skip = !months.includes(at.getUTCMonth() + 1)
  return skip ? Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) : date + dayMs
}

function isMeant({ days, months, weekdays, years, eitherDay }: CalendarRule, date: number): boolean {
  const at = new Date(date)
  if (years?.includes(at.getUTCFullYear()) === false || !months.includes(at.getUTCMonth() + 1)) return false
  const byNumber = days.includes(at.getUTCDate())
  const byWeekday = weekdays.includes(at.getUTCDay())
  return eitherDay ? byNumber || byWeekday : byNumber && byWeekday
}

/** All moments of one day, sorted. @param date the day, as if it were in UTC */
function momentsOf(rule: CalendarRule, timeZone: string, date: number): number[] {
  const about = date - offsetAt(date, timeZone)
  const offset = offsetAt(about - marginMs, timeZone)
  const shown = rule.hours.flatMap((hour) => rule.minutes.map((minute) => date + (hour * 60 + minute) * minuteMs))
  if (offset === offsetAt(about + dayMs + marginMs, timeZone)) return shown.map((time) => time - offset)
  if (rule.hours.length === 24) return hourlyMoments(rule, timeZone, date)
  return [...new Set(shown.map((time) => momentOf(time, timeZone)))].sort((a, b) => a - b)
}

/** The same for a rule for every hour on a day on which the clock is set: as the clock shows its minutes. */
function hourlyMoments({ minutes }: CalendarRule, timeZone: string, date: number): number[] {
  const found: number[] = []
  const about = date - offsetAt(date, timeZone)
  for (let moment = about - marginMs; moment < about + dayMs + marginMs; moment += minuteMs) {
    const { year, month, day, minute } = localTime(moment, timeZone)
    if (Date.UTC(year, month - 1, day) === date && minutes.includes(minute)) found.push(moment)
  }
  return found
}
