import { nextMoment } from './calendar-next.ts'
import { readCalendar } from './calendar-rule.ts'
import type { CalendarRule } from './calendar-rule.ts'
import { TwofoldError } from './errors.ts'
import { misread, wordsOf } from './schedule-expression.ts'
import type { Word } from './schedule-expression.ts'
import * as limits from './schedule-limits.ts'
import type { ScheduleTiming } from './schedules.ts'

/** A timing that was read. */
export type TimingPlan =
  | { readonly kind: 'every'; readonly everyMs: number }
  | { readonly kind: 'at'; readonly rule: CalendarRule; readonly timeZone: string }

const units: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 }
const spanShape = 'write for example 15m, 1h30m or 2d'

/**
 * Reads what a person wrote.
 * @throws TwofoldError `invalid-argument`; for an expression its field `position` says at which character, from 0
 */
export function readTiming({ every, at, timeZone }: ScheduleTiming): TimingPlan {
  if ((every === '') === (at === '')) {
    throw new TwofoldError('invalid-argument', 'a schedule has either a span (every) or a time (at)')
  }
  const longest = limits.scheduleExpressionCharactersMax
  if (every.length + at.length > longest) {
    throw new TwofoldError('invalid-argument', `when a schedule runs is said in at most ${longest} characters`)
  }
  if (every !== '') {
    if (timeZone !== '') throw new TwofoldError('invalid-argument', 'a time zone is for times (at), not for spans')
    return { kind: 'every', everyMs: readEvery(every) }
  }
  const zone = timeZone === '' ? 'UTC' : requireTimeZone(timeZone)
  const rule = readCalendar(at)
  if (nextMoment({ ...rule, years: undefined }, zone, 0) === undefined) {
    throw misread(at, { text: at, at: 0 }, 'it never comes: none of these months has such a day')
  }
  return { kind: 'at', rule, timeZone: zone }
}

/** Milliseconds of `15m`, `1h30m`. @throws TwofoldError `invalid-argument` with field `position` */
export function readEvery(text: string): number {
  const words = wordsOf(text)
  let ms = 0
  for (const word of words) ms += readSpanWord(text, word)
  const whole = { text: text.trim(), at: 0 }
  if (words.length === 0) throw misread(text, whole, spanShape)
  if (ms < limits.everyMsMin) throw misread(text, whole, `runs are at least ${limits.everyMsMin / 1000}s apart`)
  if (ms > limits.everyMsMax) throw misread(text, whole, 'runs are at most 366d apart')
  return ms
}

function readSpanWord(text: string, word: Word): number {
  let ms = 0
  let at = 0
  while (at < word.text.length) {
    const part = /^(\d{1,9})([a-z]*)/.exec(word.text.slice(at))
    const unit = units[part?.[2] ?? '']
    if (part === null) throw misread(text, { text: word.text.slice(at), at: word.at + at }, spanShape)
    if (unit === undefined) {
      const where = { text: part[2] ?? '', at: word.at + at + (part[1]?.length ?? 0) }
      throw misread(text, where, `the units are w, d, h, m and s: ${spanShape}`)
    }
    ms += Number(part[1]) * unit
    at += part[0].length
  }
  return ms
}

/** The name of a zone, as it is. @throws TwofoldError `invalid-argument` */
function requireTimeZone(name: string): string {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return name
  } catch (error) {
    const message = `there is no time zone "${name.slice(0, 80)}"; write for example Europe/Berlin or UTC`
    throw new TwofoldError('invalid-argument', message, { cause: error })
  }
}

/**
 * The first time after `afterMs` that the plan means. A span is counted from `anchorMs`, which is the first of its
 * times. An expression whose years are over has no next time: undefined.
 */
export function nextTime(plan: TimingPlan, afterMs: number, anchorMs: number): number | undefined {
  if (plan.kind === 'at') return nextMoment(plan.rule, plan.timeZone, afterMs)
  const { everyMs } = plan
  return anchorMs + Math.max(0, Math.floor((afterMs - anchorMs) / everyMs) + 1) * everyMs
}

/** How long it is from one time to the next, around `aboutMs`. */
export function spacing(plan: TimingPlan, aboutMs: number): number {
  if (plan.kind === 'every') return plan.everyMs
  const first = nextMoment(plan.rule, plan.timeZone, aboutMs)
  const second = first === undefined ? undefined : nextMoment(plan.rule, plan.timeZone, first)
  return first === undefined || second === undefined ? limits.everyMsMax : second - first
}

/**
 * How much later than its times a schedule runs, so that many that are meant for the same time do not begin together.
 * The same for a schedule every time, by the digits of its id, which are random.
 */
export function jitterOf(scheduleId: string, spacingMs: number): number {
  const share = Number.parseInt(scheduleId.slice(0, 8), 16) / 2 ** 32
  return Math.floor(share * Math.min(limits.jitterMsMax, spacingMs * limits.jitterShare))
}

/** How long after it was due a run is overdue. */
export function graceOf(spacingMs: number): number {
  return Math.min(limits.overdueMsMax, Math.max(limits.overdueMsMin, spacingMs * limits.overdueShare))
}
