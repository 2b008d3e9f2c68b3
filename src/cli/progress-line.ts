import { formatBytes, formatCount, formatDuration } from './human-format.ts'
import { safeText } from './safe-text.ts'
import { textWidth } from './table.ts'

export interface ProgressView {
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
  const line = `[${bar(fraction(view))}] ${progressText(view)}`
  const room = columns - 1 - textWidth(line) - 2
  const current = view.currentFile === undefined ? '' : safeText(view.currentFile)
  if (room < 12 || current === '') return cut(line, columns - 1)
  return `${line}  ${cutLeft(current, room)}`
}

/** The same without a bar, for a log. */
export function progressText(view: ProgressView): string {
  const percent = `${(fraction(view) * 100).toFixed(1).padStart(5)}%`
  const files = `${formatCount(view.filesDone)}/${formatCount(view.totalFiles)} files`
  const bytes = `${formatBytes(view.bytesDone)} of ${formatBytes(view.totalBytes)}`
  const eta = view.secondsRemaining === undefined ? '' : `, ETA ${formatDuration(view.secondsRemaining * 1000)}`
  const errors = view.errors === 0 ? '' : `, ${formatCount(view.errors)} errors`
  const names = view.waitingFor.map(safeText).join(', ')
  const waiting = names === '' ? '' : `, waiting for room on ${names}`
  return `${percent}  ${files}, ${bytes}, ${formatBytes(view.bytesPerSecond)}/s${eta}${errors}${waiting}`
}

export function fraction(view: { readonly bytesDone: number; readonly totalBytes: number }): number {
  return view.totalBytes === 0 ? 0 : Math.min(1, view.bytesDone / view.totalBytes)
}

function bar(done: number): string {
  const full = Math.floor(done * barWidth)
  return full === barWidth ? '='.repeat(full) : `${'='.repeat(full)}>`.padEnd(barWidth)
}

function cut(text: string, width: number): string {
  return textWidth(text) <= width ? text : [...text].slice(0, Math.max(0, width)).join('')
}

/** The end of a path says more than its beginning. */
function cutLeft(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  const kept = [...text]
  while (textWidth(kept.join('')) > width - 1) kept.shift()
  return `…${kept.join('')}`
}
