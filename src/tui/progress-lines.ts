import { doneFraction } from '../core/done-fraction.ts'
import { formatBytes, formatCount, formatDuration } from '../core/human-format.ts'
import { safeText } from '../core/safe-text.ts'
import { cutTextLeft } from '../core/text-width.ts'
import { bar, line, pad, span } from './lines.ts'
import type { Line } from './lines.ts'
import { rateOf } from './rate.ts'
import type { RunProgress } from './run-progress.ts'
import type { Shared } from './screen.ts'

const barLeast = 20
const barMost = 60

/** How far a run is: always the same number of lines. */
export function progressLines(progress: RunProgress, { room, spinner }: Shared, of: 'backup' | 'restore'): Line[] {
  const { status, samples } = progress
  const fact = (name: string, text: string): Line => line(pad(`  ${name}`, 12, 'dim'), span(text))
  const width = Math.min(barMost, Math.max(barLeast, room.columns - 20))
  if (status === undefined) {
    return [
      line(span(`${spinner} beginning …`, 'dim')),
      fact('Files', ''),
      fact('Bytes', ''),
      fact('Rate', ''),
      fact('Now', ''),
    ]
  }
  const {
    filesDone,
    totalFiles,
    bytesDone,
    totalBytes,
    newBytes = 0,
    knownBytes = 0,
    secondsElapsed,
    secondsRemaining,
  } = status
  const share = doneFraction(status)
  const turning = span(`${spinner} `, 'accent')
  const far =
    status.open === true
      ? line(turning, span('how much it will be is not known yet', 'dim'))
      : line(turning, span(bar(share, width), 'accent'), span(` ${(share * 100).toFixed(1)}%`))
  const outOf = (total: string): string => (status.open === true ? ' so far' : ` of ${total}`)
  const left = secondsRemaining === undefined ? '' : `, ${formatDuration(secondsRemaining * 1000)} left`
  const split = `${formatBytes(newBytes)} new, ${formatBytes(knownBytes)} deduplicated`
  const current = safeText(status.currentFiles[0] ?? '')
  const waiting = status.waitingFor.map(safeText).join(', ')
  return [
    far,
    fact('Files', `${formatCount(filesDone)}${outOf(formatCount(totalFiles))}`),
    fact('Bytes', `${formatBytes(bytesDone)}${outOf(formatBytes(totalBytes))}${of === 'backup' ? `: ${split}` : ''}`),
    fact('Rate', `${formatBytes(rateOf(samples))}/s, ${formatDuration(secondsElapsed * 1000)} so far${left}`),
    waiting === ''
      ? fact('Now', cutTextLeft(current, Math.max(10, room.columns - 13)))
      : line(span(`  waiting for room on ${waiting}`, 'warn')),
  ]
}
