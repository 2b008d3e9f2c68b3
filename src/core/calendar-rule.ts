import { misread, readNumbers, split, wordsOf } from './schedule-expression.ts'
import type { NumberRange, Word } from './schedule-expression.ts'

/** The minutes that a calendar expression means, as a clock on a wall shows them. All lists are sorted. */
export interface CalendarRule {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: readonly number[]
  readonly months: readonly number[]
  /** 0 is Sunday. */
  readonly weekdays: readonly number[]
  /** Undefined means all. */
  readonly years: readonly number[] | undefined
  /** Whether a day is meant by its number or its weekday, as cron has it where both are given; else by both. */
  readonly eitherDay: boolean
}

const weekdayNames = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const monthNames = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july'],
  ...['august', 'september', 'october', 'november', 'december'],
]
const minute: NumberRange = { what: 'minute', least: 0, most: 59 }
const hour: NumberRange = { what: 'hour', least: 0, most: 23 }
const day: NumberRange = { what: 'day', least: 1, most: 31 }
const month: NumberRange = { what: 'month', least: 1, most: 12 }
const year: NumberRange = { what: 'year', least: 2000, most: 2999 }
const weekday: NumberRange = { what: 'weekday', least: 0, most: 6, names: weekdayNames }

const all = ({ least, most }: NumberRange): number[] => Array.from({ length: most - least + 1 }, (_, i) => least + i)

const everyDay = { days: all(day), months: all(month), weekdays: all(weekday), years: undefined, eitherDay: false }
const midnight = { minutes: [0], hours: [0] }

/** Words that stand for a whole expression. */
const wholes: Readonly<Record<string, CalendarRule>> = {
  minutely: { ...everyDay, minutes: all(minute), hours: all(hour) },
  hourly: { ...everyDay, minutes: [0], hours: all(hour) },
  daily: { ...everyDay, ...midnight },
  midnight: { ...everyDay, ...midnight },
  weekly: { ...everyDay, ...midnight, weekdays: [1] },
  monthly: { ...everyDay, ...midnight, days: [1] },
  yearly: { ...everyDay, ...midnight, days: [1], months: [1] },
  annually: { ...everyDay, ...midnight, days: [1], months: [1] },
}

const shapes = 'write for example "mon..fri 02:30", "daily", "*-*-01 04:00", or five fields of cron as "30 2 * * 1-5"'

/**
 * Reads `[weekdays] [date] [time]`, the five fields of cron, or a word such as `daily`.
 * @throws TwofoldError `invalid-argument`; its field `position` says at which character
 */
export function readCalendar(expression: string): CalendarRule {
  const words = wordsOf(expression)
  const [first] = words
  if (first === undefined) throw misread(expression, { text: '', at: 0 }, shapes)
  const whole = wholes[first.text.replace(/^@/, '')]
  if (words.length === 1 && whole !== undefined) return whole
  const isCron = words.length >= 4 && words.every(({ text }) => !/[:]|\.\./.test(text))
  return isCron ? readCron(expression, words) : readDated(expression, words)
}

const cronMonth: NumberRange = { ...month, names: monthNames }
/** 7 is Sunday as well. */
const cronWeekday: NumberRange = { ...weekday, most: 7, names: [...weekdayNames, 'sunday'] }

function readCron(expression: string, words: readonly Word[]): CalendarRule {
  const [minutes, hours, days, months, weekdays, extra] = words
  if (extra !== undefined) throw misread(expression, extra, 'cron has five fields: minute, hour, day, month, weekday')
  if (!minutes || !hours || !days || !months || !weekdays) {
    const end = { text: '', at: expression.trimEnd().length }
    throw misread(expression, end, 'cron has five fields: minute, hour, day, month, weekday')
  }
  const read = (word: Word, range: NumberRange): number[] => readNumbers(expression, word, range, { hyphens: true })
  const numbers = read(weekdays, cronWeekday).map((number) => number % 7)
  return {
    minutes: read(minutes, minute),
    hours: read(hours, hour),
    days: read(days, day),
    months: read(months, cronMonth),
    weekdays: [...new Set(numbers)].sort((a, b) => a - b),
    years: undefined,
    eitherDay: !days.text.startsWith('*') && !weekdays.text.startsWith('*'),
  }
}

function readDated(expression: string, words: readonly Word[]): CalendarRule {
  const rest = [...words]
  let rule: CalendarRule = { ...everyDay, ...midnight }
  const takeIf = (fits: (text: string) => boolean): Word | undefined =>
    rest[0] !== undefined && fits(rest[0].text) ? rest.shift() : undefined
  const named = takeIf((text) => /^[a-z]/.test(text))
  if (named !== undefined && named.text !== 'daily') {
    rule = { ...rule, weekdays: readNumbers(expression, named, weekday, { hyphens: true }) }
  }
  const date = takeIf((text) => text.includes('-') && !text.includes(':'))
  if (date !== undefined) rule = { ...rule, ...readDate(expression, date) }
  const time = takeIf((text) => text.includes(':'))
  if (time !== undefined) rule = { ...rule, ...readTime(expression, time) }
  const [extra] = rest
  if (extra !== undefined) throw misread(expression, extra, words.length === 1 ? shapes : expectedAfter({ date, time }))
  return rule
}

function expectedAfter({ date, time }: { date: Word | undefined; time: Word | undefined }): string {
  if (time !== undefined) return 'nothing comes after the time'
  return date === undefined ? 'here a date as *-*-01 or a time as 02:30 comes' : 'here a time as 02:30 comes'
}

/** `*-*-01`, `2026-12-24`, or without the year. */
function readDate(expression: string, word: Word): Pick<CalendarRule, 'years' | 'months' | 'days'> {
  const parts = split(word, '-')
  if (parts.length > 3) throw misread(expression, word, 'a date is written as year-month-day, for example *-*-01')
  const [days, months, years] = parts.toReversed()
  if (days === undefined || months === undefined) throw misread(expression, word, 'a date has a month and a day')
  return {
    years: years === undefined || years.text === '*' ? undefined : readNumbers(expression, years, year),
    months: readNumbers(expression, months, month),
    days: readNumbers(expression, days, day),
  }
}

/** `02:30`, `8..17:0/15`, `*:00`; seconds may only be 0. */
function readTime(expression: string, word: Word): Pick<CalendarRule, 'hours' | 'minutes'> {
  const [hours, minutes, seconds, extra] = split(word, ':')
  if (extra !== undefined) throw misread(expression, extra, 'a time is written as hour:minute')
  if (seconds !== undefined && !/^0+$/.test(seconds.text)) {
    throw misread(expression, seconds, 'a schedule begins at whole minutes: leave the seconds out')
  }
  if (hours === undefined || minutes === undefined) throw misread(expression, word, 'a time is written as hour:minute')
  return { hours: readNumbers(expression, hours, hour), minutes: readNumbers(expression, minutes, minute) }
}
