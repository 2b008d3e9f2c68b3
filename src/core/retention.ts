import { addToLocal, isoWeek, localTime } from './local-time.ts'
import type { CalendarSpan, LocalTime } from './local-time.ts'

/** What the policy needs to know of a snapshot. */
export interface RetainedSnapshot {
  readonly timeMs: number
  readonly tags: readonly string[]
  /** Must not be forgotten, and does not count. */
  readonly pinned: boolean
}

/** How many of each kind to keep; `Infinity` is no limit, and 0 none. */
export interface KeepCounts {
  readonly last: number
  readonly hourly: number
  readonly daily: number
  readonly weekly: number
  readonly monthly: number
  readonly yearly: number
}

/** How far back from the newest snapshot to keep everything, or one of each period. */
export interface KeepWithin {
  readonly all: CalendarSpan
  readonly hourly: CalendarSpan
  readonly daily: CalendarSpan
  readonly weekly: CalendarSpan
  readonly monthly: CalendarSpan
  readonly yearly: CalendarSpan
}

/** The meaning of every part is restic's. */
export interface RetentionPolicy {
  readonly counts: Partial<KeepCounts>
  readonly within: Partial<KeepWithin>
  /** A snapshot with all tags of one of the lists is kept. */
  readonly tags: readonly (readonly string[])[]
}

export interface Verdict<T> {
  readonly snapshot: T
  readonly keep: boolean
  /** Why it is kept; none for what is not. */
  readonly reasons: readonly string[]
}

type Period = keyof KeepCounts & keyof KeepWithin

/** A number for the period that a time lies in: equal within one period, different in the next one. */
const periods: readonly (readonly [Period, (time: LocalTime) => number])[] = [
  ['hourly', ({ year, month, day, hour }) => ((year * 100 + month) * 100 + day) * 100 + hour],
  ['daily', ({ year, month, day }) => (year * 100 + month) * 100 + day],
  ['weekly', (time) => isoWeek(time)],
  ['monthly', ({ year, month }) => year * 100 + month],
  ['yearly', ({ year }) => year],
]

interface Rule {
  left: number
  last: number
  readonly after: number
  readonly reason: string
  readonly suffix: string
  readonly periodOf: (time: LocalTime, index: number) => number
}

export interface RetentionContext {
  /** Snapshots from the future are no measure for `within`. */
  readonly nowMs: number
  /** IANA name of the zone in which hours and days are counted. */
  readonly timeZone: string
}

export function isEmptyPolicy(policy: RetentionPolicy): boolean {
  const counts = Object.values(policy.counts).some((count) => count > 0)
  const within = Object.values(policy.within).some((span) => !isZero(span))
  return !counts && !within && policy.tags.length === 0
}

/**
 * Which snapshots of one group to keep: the newest of each period, as long as the count of its rule is not used up, and
 * the oldest of all while some count is left. Of snapshots with equal times the later in the list counts as the newer.
 * An empty policy keeps everything. @returns a verdict for each, the newest first
 */
export function applyRetention<T extends RetainedSnapshot>(
  snapshots: readonly T[],
  policy: RetentionPolicy,
  context: RetentionContext,
): Verdict<T>[] {
  const sorted = snapshots.toReversed().sort((a, b) => b.timeMs - a.timeMs)
  if (isEmptyPolicy(policy)) {
    return sorted.map((snapshot) => ({ snapshot, keep: true, reasons: ['policy is empty'] }))
  }
  const newestMs = Math.max(-Infinity, ...sorted.map(({ timeMs }) => timeMs).filter((ms) => ms <= context.nowMs))
  const rules = [...countRules(policy.counts), ...withinRules(policy.within, newestMs, context.timeZone)]
  return sorted.map((snapshot, index) => {
    const time = localTime(snapshot.timeMs, context.timeZone)
    const oldest = index === sorted.length - 1
    const byRule = rules.flatMap((rule) => {
      if (rule.left === 0 || snapshot.timeMs <= rule.after) return []
      const period = rule.periodOf(time, index)
      if (period === rule.last && !oldest) return []
      const again = period === rule.last
      rule.last = period
      rule.left -= 1
      return [`${again ? 'oldest ' : ''}${rule.reason}${rule.suffix}`]
    })
    const reasons = [...(snapshot.pinned ? ['pinned'] : []), ...tagReasons(snapshot, policy.tags), ...byRule]
    return { snapshot, keep: reasons.length > 0, reasons }
  })
}

function tagReasons(snapshot: RetainedSnapshot, lists: RetentionPolicy['tags']): string[] {
  const matching = lists.filter((tags) => tags.every((tag) => snapshot.tags.includes(tag)))
  return matching.map((tags) => `has tags [${tags.join(', ')}]`)
}

function countRules(counts: Partial<KeepCounts>): Rule[] {
  const always = { after: -Infinity, suffix: '', last: -1 }
  const last = { ...always, left: counts.last ?? 0, reason: 'last snapshot', periodOf: (_: LocalTime, i: number) => i }
  const others = periods.map(([name, periodOf]) => ({
    ...always,
    left: counts[name] ?? 0,
    reason: `${name} snapshot`,
    periodOf,
  }))
  return [last, ...others]
}

function withinRules(within: Partial<KeepWithin>, newestMs: number, timeZone: string): Rule[] {
  if (newestMs === -Infinity) return []
  const rule = (span: CalendarSpan | undefined, rest: Pick<Rule, 'reason' | 'periodOf'>): Rule[] => {
    if (span === undefined || isZero(span)) return []
    const suffix = ` within ${spanText(span)}`
    return [{ ...rest, suffix, left: Infinity, last: -1, after: addToLocal(newestMs, negative(span), timeZone) }]
  }
  const all = rule(within.all, { reason: '', periodOf: (_, index) => index })
  return [
    ...all.map((each) => ({ ...each, suffix: each.suffix.trimStart() })),
    ...periods.flatMap(([name, periodOf]) => rule(within[name], { reason: name, periodOf })),
  ]
}

function isZero(span: CalendarSpan): boolean {
  return span.years === 0 && span.months === 0 && span.days === 0 && span.hours === 0
}

function negative({ years, months, days, hours }: CalendarSpan): CalendarSpan {
  return { years: -years, months: -months, days: -days, hours: -hours }
}

function spanText({ years, months, days, hours }: CalendarSpan): string {
  const parts = [`${years}y`, `${months}m`, `${days}d`, `${hours}h`]
  return parts.filter((part) => !/^0/.test(part)).join('')
}
