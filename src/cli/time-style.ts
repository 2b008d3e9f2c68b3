import { TwofoldError } from '../core/errors.ts'
import { formatAgo, formatTime, plural } from '../core/human-format.ts'

/** How times are shown to people. With `--json` they are RFC 3339 whatever this is. */
export type TimeStyle = 'absolute' | 'relative' | 'both' | 'iso'

export const timeStyles: readonly TimeStyle[] = ['absolute', 'relative', 'both', 'iso']

/** @throws TwofoldError `invalid-argument` */
export function parseTimeStyle(text: string): TimeStyle {
  const style = timeStyles.find((known) => known === text.trim().toLowerCase())
  if (style !== undefined) return style
  throw new TwofoldError('invalid-argument', `"${text}" is no way to show times: use ${timeStyles.join(', ')}`)
}

/** A time, in milliseconds since the epoch, for people. */
export function showTime(ms: number, style: TimeStyle, nowMs: number): string {
  switch (style) {
    case 'absolute':
      return formatTime(ms)
    case 'relative':
      return formatRelative(ms, nowMs)
    case 'both':
      return `${formatTime(ms)} (${formatRelative(ms, nowMs)})`
    case 'iso':
      return new Date(ms).toISOString()
  }
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** `3 hours ago`, `in 6 days` */
function formatRelative(ms: number, nowMs: number): string {
  const ahead = ms - nowMs
  if (ahead < 60_000) return formatAgo(ms, nowMs)
  if (ahead < hourMs) return `in ${plural(Math.floor(ahead / 60_000), 'minute')}`
  if (ahead < 2 * dayMs) return `in ${plural(Math.floor(ahead / hourMs), 'hour')}`
  return `in ${plural(Math.floor(ahead / dayMs), 'day')}`
}
