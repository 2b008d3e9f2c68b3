import { renderTable } from '../../src/cli/table.ts'
import { exponent, extrapolate } from './figures.ts'
import type { Column, Row, Unit } from './figures.ts'

const shown: Readonly<Record<Unit, { readonly sign: string; readonly factor: number }>> = {
  bytes: { sign: 'MB', factor: 1e-6 },
  ms: { sign: 'ms', factor: 1 },
  s: { sign: 's', factor: 1 },
  µs: { sign: 'µs', factor: 1 },
  'per second': { sign: '/s', factor: 1 },
  'bytes per second': { sign: 'MB/s', factor: 1e-6 },
  share: { sign: '%', factor: 100 },
  count: { sign: '', factor: 1 },
}

const count = (value: number): string => value.toLocaleString('en-US')

/** Three digits that count; empty for what is not known. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return ''
  const digits = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))))
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}

/**
 * A table of the points, how each figure grows, and which points miss what a figure should be.
 * @param onPaper a value of x for which the table says what the figures would be if they went on growing so
 */
export function seriesLines(
  xTitle: string,
  columns: readonly Column[],
  rows: readonly Row[],
  onPaper?: number,
): string[] {
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' })
  const heads = columns.map(({ title, unit }) => right(`${title} ${shown[unit].sign}`.trim()))
  const show = ({ figure, unit }: Column, { figures }: Row): string => {
    const value = figures[figure]
    return formatNumber(value === undefined ? undefined : value * shown[unit].factor)
  }
  const cells = rows.map((row) => [count(row.x), ...columns.map((column) => show(column, row))])
  const growth = columns.map(({ figure }) => {
    const power = exponent(rows.map(({ x, figures }) => [x, figures[figure]]))
    return Number.isFinite(power) ? `x^${power.toFixed(2)}` : ''
  })
  const guesses = columns.map(({ figure, unit }) => {
    const points = rows.map(({ x, figures }) => [x, figures[figure]] as const)
    return formatNumber(extrapolate(points, onPaper ?? Number.NaN) * shown[unit].factor)
  })
  const more = [['grows as', ...growth], ...(onPaper === undefined ? [] : [[`≈ ${count(onPaper)}`, ...guesses]])]
  const table = renderTable([right(xTitle), ...heads], [...cells, ...(rows.length > 1 ? more : [])])
  return [...table, ...missedLines(xTitle, columns, rows)]
}

function missedLines(xTitle: string, columns: readonly Column[], rows: readonly Row[]): string[] {
  const lines: string[] = []
  for (const { figure, title, unit, atMost, atLeast } of columns) {
    const { sign, factor } = shown[unit]
    for (const { x, figures } of rows) {
      const value = figures[figure]
      if (value === undefined) continue
      const tooMuch = atMost !== undefined && value > atMost
      const tooLittle = atLeast !== undefined && value < atLeast
      if (!tooMuch && !tooLittle) continue
      const limit = `at ${tooMuch ? 'most' : 'least'} ${formatNumber((tooMuch ? atMost : (atLeast ?? 0)) * factor)}`
      const is = formatNumber(value * factor)
      lines.push(`missed: ${title} is ${is} ${sign} at ${count(x)} ${xTitle}, and should be ${limit}`)
    }
  }
  return lines
}
