import { cutTextLeft, textWidth } from '../core/text-width.ts'
import { doneFraction } from '../core/done-fraction.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../core/human-format.ts'
import { safeText } from '../core/safe-text.ts'

export interface ProgressView {
  /** The totals are not what it will be. */
  readonly open?: boolean
  readonly ended?: boolean
  readonly secondsElapsed: number
  readonly secondsRemaining: number | undefined
  readonly filesDone: number
  readonly totalFiles: number
  readonly bytesDone: number
  readonly totalBytes: number
  readonly bytesPerSecond: number
  readonly errors: number
  readonly currentFile: string | undefined
  /** Names of nodes that have no room just now. */
  readonly waitingFor: readonly string[]
}

const barWidth = 24

/** One line with a bar, rate and time to go that fits in `columns`. */
export function drawProgress(view: ProgressView, columns: number): string {
  const line = view.open === true ? progressText(view) : `[${bar(doneFraction(view))}] ${progressText(view)}`
  const room = columns - 1 - textWidth(line) - 2
  const current = view.currentFile === undefined ? '' : safeText(view.currentFile)
  if (room < 12 || current === '') return cut(line, columns - 1)
  return `${line}  ${cutTextLeft(current, room)}`
}

/** The same without a bar, for a log. */
export function progressText(view: ProgressView): string {
  const done =
    view.open === true ? `${plural(view.filesDone, 'file')}, ${formatBytes(view.bytesDone)} so far` : shareText(view)
  const eta = view.secondsRemaining === undefined ? '' : `, ETA ${formatDuration(view.secondsRemaining * 1000)}`
  const errors = view.errors === 0 ? '' : `, ${formatCount(view.errors)} errors`
  const names = view.waitingFor.map(safeText).join(', ')
  const waiting = names === '' ? '' : `, waiting for room on ${names}`
  return `${done}, ${formatBytes(view.bytesPerSecond)}/s${eta}${errors}${waiting}`
}

function shareText(view: ProgressView): string {
  const percent = `${(doneFraction(view) * 100).toFixed(1).padStart(5)}%`
  const files = `${formatCount(view.filesDone)}/${formatCount(view.totalFiles)} files`
  return `${percent}  ${files}, ${formatBytes(view.bytesDone)} of ${formatBytes(view.totalBytes)}`
}

function bar(done: number): string {
  const full = Math.floor(done * barWidth)
  return full === barWidth ? '='.repeat(full) : `${'='.repeat(full)}>`.padEnd(barWidth)
}

function cut(text: string, width: number): string {
  return textWidth(text) <= width ? text : [...text].slice(0, Math.max(0, width)).join('')
}
