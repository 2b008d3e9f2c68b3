import { isolate } from '../core/safe-text.ts'
import { cutText, cutTextLeft, padText, textWidth } from '../core/text-width.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /**
   * How dispensable it is where a line is wider than the window: columns with the highest number are shortened first,
   * and left out if that is not enough. Without one it always stays as it is.
   */
  readonly spare?: number
  /** What of a cell is left when it is shortened; the beginning unless given. A path's end says more. */
  readonly keep?: 'beginning' | 'end'
}

/** How tables are drawn. */
export interface TableLayout {
  /** Columns of the window; undefined when nobody watches, and lines may have any length. */
  readonly width: number | undefined
  /** Whether there is a line with titles. */
  readonly heading: boolean
}

export const plainLayout: TableLayout = { width: undefined, heading: true }

const gap = 2
/** A column that is shortened keeps at least this much. */
const shortestColumn = 6

/** Lines of a table: a header, a rule, the rows. Cells must be free of control characters. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, heading }: TableLayout = plainLayout,
): string[] {
  const natural = columns.map((column, at) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[at] ?? '')), heading ? textWidth(column.title) : 1),
  )
  const widths = width === undefined ? natural : fitWidths(columns, natural, width)
  // Somebody watches: text from right to left must not turn the columns beside it around.
  const placed = width === undefined ? (text: string): string => text : isolate
  const line = (cells: readonly string[]): string =>
    columns
      .flatMap((column, at) =>
        (widths[at] ?? 0) === 0 ? [] : [placed(cellText(column, cells[at] ?? '', widths[at] ?? 0))],
      )
      .join(' '.repeat(gap))
      .trimEnd()
  if (!heading) return rows.map(line)
  return [line(columns.map((column) => column.title)), '-'.repeat(lineWidth(widths)), ...rows.map(line)]
}

/** The widths with which a line fits into `room`, as far as that can be: 0 for a column that is left out. */
function fitWidths(columns: readonly Column[], natural: readonly number[], room: number): number[] {
  const widths = [...natural]
  const order = columns
    .flatMap(({ spare }, at) => (spare === undefined ? [] : [{ spare, at }]))
    .sort((a, b) => b.spare - a.spare)
    .map(({ at }) => at)
  for (const at of order) {
    const excess = lineWidth(widths) - room
    if (excess > 0) widths[at] = Math.max(Math.min(shortestColumn, natural[at] ?? 0), (widths[at] ?? 0) - excess)
  }
  for (const at of order) if (lineWidth(widths) > room) widths[at] = 0
  // What was left out made room for those that are still short, the most important first.
  for (const at of order.toReversed()) {
    const free = room - lineWidth(widths)
    const now = widths[at] ?? 0
    if (free > 0 && now > 0) widths[at] = Math.min(natural[at] ?? 0, now + free)
  }
  return widths
}

function lineWidth(widths: readonly number[]): number {
  const shown = widths.filter((width) => width > 0)
  return shown.reduce((sum, width) => sum + width, gap * Math.max(0, shown.length - 1))
}

function cellText({ align = 'left', keep }: Column, text: string, width: number): string {
  return padText(keep === 'end' ? cutTextLeft(text, width) : cutText(text, width), width, align)
}
