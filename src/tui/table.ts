import { cutText, cutTextLeft, padText, textWidth } from '../core/text-width.ts'
import type { Line, Span } from './lines.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** So wide at the least: what changes all the time must not move its neighbours. */
  readonly least?: number
  /** Columns with a number are left out of a narrow window, the highest first. */
  readonly dispensable?: number
  /** The one that takes what room is left, and is cut when there is too little. */
  readonly grows?: boolean
  /** Whether its end says more than its beginning. */
  readonly keepEnd?: boolean
}

export interface TableRow {
  readonly cells: readonly Span[]
  readonly selected?: boolean
}

export interface TableOptions {
  readonly columns: readonly Column[]
  readonly rows: readonly TableRow[]
  readonly width: number
}

const gap = 2
const marker = 2
const growLeast = 12

/** A header and a line for each row, none wider than `width`. A selected row begins with `>`. */
export function tableLines({ columns, rows, width }: TableOptions): Line[] {
  const natural = columns.map((column, at) =>
    rows.reduce(
      (most, { cells }) => Math.max(most, textWidth(cells[at]?.text ?? '')),
      Math.max(column.least ?? 0, textWidth(column.title)),
    ),
  )
  const shown = chooseColumns(columns, natural, width)
  const widths = shareWidth(columns, { natural, shown }, width)
  const titles = columns.map(({ title }): Span => ({ text: title, tone: 'dim' }))
  const render = (cells: readonly Span[], mark: string): Line => {
    const parts = shown.map((at, index): Span => {
      const cell = cells[at] ?? { text: '' }
      const space = index === shown.length - 1 ? '' : ' '.repeat(gap)
      return { ...cell, text: `${fitCell(cell.text, columns[at], widths.get(at) ?? 0)}${space}` }
    })
    return [{ text: mark.padEnd(marker), tone: 'accent' }, ...parts]
  }
  const body = rows.map(({ cells, selected = false }) =>
    selected ? render(cells.map(strong), '>') : render(cells, ''),
  )
  return [render(titles, ''), ...body]
}

function strong(cell: Span): Span {
  return cell.tone === undefined || cell.tone === 'plain' || cell.tone === 'dim' ? { ...cell, tone: 'strong' } : cell
}

function chooseColumns(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  let shown = columns.map((_, at) => at)
  const least = (at: number): number =>
    columns[at]?.grows === true ? Math.min(natural[at] ?? 0, growLeast) : (natural[at] ?? 0)
  const needed = (): number => shown.reduce((sum, at) => sum + least(at) + gap, marker - gap)
  while (needed() > width) {
    const worst = shown.reduce((most, at) => Math.max(most, columns[at]?.dispensable ?? 0), 0)
    if (worst === 0) break
    shown = shown.filter((at) => columns[at]?.dispensable !== worst)
  }
  return shown
}

function shareWidth(
  columns: readonly Column[],
  { natural, shown }: { natural: readonly number[]; shown: readonly number[] },
  width: number,
): Map<number, number> {
  const growing = shown.filter((at) => columns[at]?.grows === true)
  const fixed = shown.reduce((sum, at) => sum + gap + (growing.includes(at) ? 0 : (natural[at] ?? 0)), marker - gap)
  const each = growing.length === 0 ? 0 : Math.max(1, Math.floor((width - fixed) / growing.length))
  return new Map(shown.map((at) => [at, growing.includes(at) ? each : Math.min(natural[at] ?? 0, width)]))
}

function fitCell(text: string, column: Column | undefined, width: number): string {
  const cut = column?.keepEnd === true ? cutTextLeft(text, width) : cutText(text, width)
  return padText(cut, width, column?.align ?? 'left')
}

/** The first of `count` rows to show in `rows`, so that the selected one is among them and stays where it can. */
export function scrollStart({ selected, count, rows }: { selected: number; count: number; rows: number }): number {
  if (count <= rows) return 0
  const middle = selected - Math.floor(rows / 2)
  return Math.max(0, Math.min(count - rows, middle))
}
