/**
 * Between messages of `schedules.proto` and the plain data of `core`, for what travels both ways: people send a spec to
 * the manager, the manager sends it to agents and shows it to people.
 */
import { TwofoldError } from '../core/errors.ts'
import type { CalendarSpan } from '../core/local-time.ts'
import type { KeepCounts, KeepWithin, RetentionPolicy } from '../core/retention.ts'
import { noSizes } from '../core/schedules.ts'
import type { RunSizes, ScheduleSpec } from '../core/schedules.ts'
import type * as wire from '../gen/twofold/v1/schedules.ts'

/** A count that has no limit. */
const unlimited = 0xffff_ffff

const noTiming: wire.ScheduleTiming = { every: '', at: '', timeZone: '' }

export function toWireSpec(spec: ScheduleSpec): wire.ScheduleSpec {
  const { timing, excludes, tags, keep, ...rest } = spec
  return { ...rest, timing: { ...timing }, excludes: [...excludes], tags: [...tags], keep: toWireKeep(keep) }
}

/** @throws TwofoldError `invalid-argument` when there is none */
export function fromWireSpec(message: wire.ScheduleSpec | undefined): ScheduleSpec {
  if (message === undefined) throw new TwofoldError('invalid-argument', 'the spec of the schedule is missing')
  return { ...message, timing: message.timing ?? noTiming, keep: fromWireKeep(message.keep) }
}

function toWireKeep({ counts, within, tags }: RetentionPolicy): wire.KeepPolicy {
  const count = (name: keyof KeepCounts): number => Math.min(counts[name] ?? 0, unlimited)
  return {
    last: count('last'),
    hourly: count('hourly'),
    daily: count('daily'),
    weekly: count('weekly'),
    monthly: count('monthly'),
    yearly: count('yearly'),
    within: within.all,
    withinHourly: within.hourly,
    withinDaily: within.daily,
    withinWeekly: within.weekly,
    withinMonthly: within.monthly,
    withinYearly: within.yearly,
    tags: tags.map((list) => ({ tags: [...list] })),
  }
}

function fromWireKeep(message: wire.KeepPolicy | undefined): RetentionPolicy {
  if (message === undefined) return { counts: {}, within: {}, tags: [] }
  const counts: Partial<Record<keyof KeepCounts, number>> = {}
  for (const name of ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const) {
    if (message[name] > 0) counts[name] = message[name] === unlimited ? Infinity : message[name]
  }
  const within: Partial<Record<keyof KeepWithin, CalendarSpan>> = {}
  const spans = [
    ['all', message.within],
    ['hourly', message.withinHourly],
    ['daily', message.withinDaily],
    ['weekly', message.withinWeekly],
    ['monthly', message.withinMonthly],
    ['yearly', message.withinYearly],
  ] as const
  for (const [name, span] of spans) if (span !== undefined) within[name] = span
  return { counts, within, tags: message.tags.map(({ tags }) => tags) }
}

const sizeNames = Object.keys(noSizes) as (keyof RunSizes)[]

export function toWireSizes(sizes: RunSizes): wire.RunSizes {
  return Object.fromEntries(sizeNames.map((name) => [name, BigInt(sizes[name])])) as unknown as wire.RunSizes
}

/** @throws TwofoldError `invalid-argument` for a number beyond 2^53 */
export function fromWireSizes(message: wire.RunSizes | undefined): RunSizes {
  if (message === undefined) return noSizes
  const sizes: Record<keyof RunSizes, number> = { ...noSizes }
  for (const name of sizeNames) sizes[name] = safeNumber(message[name])
  return sizes
}

/** @throws TwofoldError `invalid-argument` beyond 2^53: it would change */
export function safeNumber(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new TwofoldError('invalid-argument', `${value} is too large for this program`)
}
