/** Numbers and times for people. */

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `1.234 MiB` */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(value >= 100 ? 1 : 2)} ${byteUnits[unit] ?? ''}`
}

/** `12,345` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** `1 file`, `2 files` */
export function plural(count: number, singular: string, many = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : many}`
}

/** `0.8 s`, `59 s`, `12:04`, `1:02:03` */
export function formatDuration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'))
  const hours = Math.floor(seconds / 3600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : `${Math.floor(seconds / 60)}:${parts[1] ?? ''}`
}

/** `2026-03-01 14:05:09` in the local time zone. */
export function formatTime(ms: number): string {
  const time = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

const spans: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
]
const secondSpan = [1000, 'second'] as const
const justNowMs = 2000

/** `just now`, `3 hours ago`, `never` for 0. */
export function formatAgo(thenMs: number, nowMs: number): string {
  if (thenMs === 0) return 'never'
  const elapsed = nowMs - thenMs
  if (elapsed < justNowMs) return 'just now'
  const [length, name] = spans.find(([shortest]) => elapsed >= shortest) ?? secondSpan
  return `${plural(Math.floor(elapsed / length), name)} ago`
}

/** `drwxr-xr-x`, as `ls` and restic show it. */
export function formatMode(type: 'file' | 'directory' | 'symlink', mode: number): string {
  const kind = type === 'directory' ? 'd' : type === 'symlink' ? 'L' : '-'
  const bits = 'rwxrwxrwx'
  const letters = [...bits].map((letter, at) => ((mode >> (8 - at)) & 1 ? letter : '-'))
  const special: readonly (readonly [number, number, string])[] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ]
  for (const [bit, at, letter] of special) {
    if (mode & bit) letters[at] = letters[at] === 'x' ? letter : letter.toUpperCase()
  }
  return kind + letters.join('')
}
