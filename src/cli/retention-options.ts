import type { Command } from 'commander'
import { TwofoldError } from '../core/errors.ts'
import type { CalendarSpan } from '../core/local-time.ts'
import type { KeepCounts, KeepWithin, RetentionPolicy } from '../core/retention.ts'

export interface KeepOptions {
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepWithin?: CalendarSpan
  readonly keepWithinHourly?: CalendarSpan
  readonly keepWithinDaily?: CalendarSpan
  readonly keepWithinWeekly?: CalendarSpan
  readonly keepWithinMonthly?: CalendarSpan
  readonly keepWithinYearly?: CalendarSpan
  readonly keepTag?: readonly (readonly string[])[]
}

/** Which snapshots to keep; names and meaning are restic's. */
export function addKeepOptions(command: Command): Command {
  const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
  const units = { hourly: 'hours', daily: 'days', weekly: 'weeks', monthly: 'months', yearly: 'years' } as const
  command.option('-l, --keep-last <n>', 'keep the newest n; "unlimited" for all', parseKeepCount)
  for (const period of periods) {
    const text = `keep one of each of the last n ${units[period]} that have any`
    command.option(`--keep-${period} <n>`, text, parseKeepCount)
  }
  command.option('--keep-within <span>', 'keep all that are newer than this, before the newest: 1y5m7d2h', parseSpan)
  for (const period of periods) {
    command.option(`--keep-within-${period} <span>`, `keep one of each of the ${units[period]} within this`, parseSpan)
  }
  return command.option('--keep-tag <tags>', 'keep those with all of these tags; may be repeated', collectTags)
}

export function toPolicy(options: KeepOptions): RetentionPolicy {
  const counts: Partial<Record<keyof KeepCounts, number | undefined>> = {
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
  }
  const within: Partial<Record<keyof KeepWithin, CalendarSpan | undefined>> = {
    all: options.keepWithin,
    hourly: options.keepWithinHourly,
    daily: options.keepWithinDaily,
    weekly: options.keepWithinWeekly,
    monthly: options.keepWithinMonthly,
    yearly: options.keepWithinYearly,
  }
  return { counts: present(counts), within: present(within), tags: options.keepTag ?? [] }
}

function present<K extends string, V>(values: Partial<Record<K, V | undefined>>): Partial<Record<K, V>> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as Partial<Record<K, V>>
}

/** @throws TwofoldError `invalid-argument` */
export function parseKeepCount(text: string): number {
  if (text === 'unlimited' || text === '-1') return Infinity
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(count)) return count
  throw new TwofoldError('invalid-argument', `"${text}" is no count: give a whole number or "unlimited"`)
}

/** A span as restic writes it: years, months, days and hours, for example `1y5m7d2h`. @throws `invalid-argument` */
export function parseSpan(text: string): CalendarSpan {
  const match = /^(?:(\d{1,4})y)?(?:(\d{1,5})m)?(?:(\d{1,6})d)?(?:(\d{1,7})h)?$/.exec(text.trim())
  if (match === null || text.trim() === '') {
    throw new TwofoldError('invalid-argument', `"${text}" is no span: write years, months, days, hours as in 1y5m7d2h`)
  }
  const [years = 0, months = 0, days = 0, hours = 0] = match.slice(1).map((part?: string) => Number(part ?? 0))
  return { years, months, days, hours }
}

function collectTags(value: string, previous: readonly (readonly string[])[] | undefined): (readonly string[])[] {
  return [...(previous ?? []), value.split(',').filter((tag) => tag !== '')]
}
