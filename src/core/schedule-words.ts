/** What people read about a schedule, wherever it is shown. */
import { safeText } from './safe-text.ts'
import type { Schedule, ScheduleSpec } from './schedules.ts'

/** `every 15m`, `mon..fri 02:30 Europe/Berlin` */
export function timingText({ timing }: ScheduleSpec): string {
  if (timing.every !== '') return safeText(`every ${timing.every}`)
  return safeText(`${timing.at} ${timing.timeZone || 'UTC'}`)
}

/** When something comes that is not now: `in 14 min`, `now`. */
export function formatAhead(thenMs: number, nowMs: number): string {
  if (thenMs === 0) return '-'
  const ms = thenMs - nowMs
  if (ms <= 0) return 'now'
  if (ms < 120_000) return `in ${Math.ceil(ms / 1000)} s`
  if (ms < 7_200_000) return `in ${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `in ${Math.round(ms / 3_600_000)} h` : `in ${Math.round(ms / 86_400_000)} days`
}

/** The state, and what is wrong. */
export function stateText({ state, overdue, failing }: Schedule): string {
  return [state, ...(overdue ? ['overdue'] : []), ...(failing ? ['failing'] : [])].join(', ')
}
