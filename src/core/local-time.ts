/** A moment as a clock on the wall of some zone shows it. */
export interface LocalTime {
  readonly year: number
  /** From 1. */
  readonly month: number
  /** From 1. */
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** A span in units of the calendar, whose length in milliseconds depends on where it begins. */
export interface CalendarSpan {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
  const options = { ...numeric, second: 'numeric', hourCycle: 'h23', calendar: 'iso8601', timeZone } as const
  const format = new Intl.DateTimeFormat('en-US-u-nu-latn', options)
  formats.set(timeZone, format)
  return format
}

/** @param timeZone IANA name, for example `Europe/Berlin` */
export function localTime(timeMs: number, timeZone: string): LocalTime {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(timeMs)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const date = { year: part('year'), month: part('month'), day: part('day') }
  return { ...date, hour: part('hour'), minute: part('minute'), second: part('second') }
}

/** What the clock shows, as if it were UTC. */
const asUtc = ({ year, month, day, hour, minute, second }: LocalTime): number =>
  Date.UTC(year, month - 1, day, hour, minute, second)

/** How much the clock of the zone is ahead of UTC at a moment, in milliseconds. */
export function offsetAt(timeMs: number, timeZone: string): number {
  return asUtc(localTime(timeMs, timeZone)) - Math.floor(timeMs / 1000) * 1000
}

/**
 * The moment at which the clock shows this, given as if it were UTC. What it shows twice means the first time; what it
 * skips means as much later as it skips.
 */
export function momentOf(shown: number, timeZone: string): number {
  const dayMs = 86_400_000
  const before = shown - offsetAt(shown - dayMs, timeZone)
  const after = shown - offsetAt(shown + dayMs, timeZone)
  const right = [before, after].find((moment) => asUtc(localTime(moment, timeZone)) === shown)
  return right ?? before
}

/**
 * Years, months and days are added to the date that the clock shows, where a day that the month does not have runs over
 * into the next; then the hours, as time that passes.
 */
export function addToLocal(timeMs: number, span: CalendarSpan, timeZone: string): number {
  const { year, month, day, hour, minute, second } = localTime(timeMs, timeZone)
  const rest = timeMs - Math.floor(timeMs / 1000) * 1000
  const date = [year + span.years, month - 1 + span.months, day + span.days] as const
  return momentOf(Date.UTC(...date, hour, minute, second), timeZone) + rest + span.hours * 3_600_000
}

/** Year and week of ISO 8601 as one number, for example 202653. The first week is the one with the first Thursday. */
export function isoWeek({ year, month, day }: Pick<LocalTime, 'year' | 'month' | 'day'>): number {
  const dayMs = 86_400_000
  const date = Date.UTC(year, month - 1, day)
  const weekday = (new Date(date).getUTCDay() + 6) % 7
  const thursday = date + (3 - weekday) * dayMs
  const ofYear = new Date(thursday).getUTCFullYear()
  return ofYear * 100 + Math.floor((thursday - Date.UTC(ofYear, 0, 1)) / (7 * dayMs)) + 1
}
