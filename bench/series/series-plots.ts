import type { Row, Unit } from './figures.ts'
import { drawPlot } from './plot.ts'
import type { Series } from './series.ts'

const yTitles: Readonly<Record<Unit, string>> = {
  bytes: 'bytes',
  ms: 'milliseconds',
  s: 'seconds',
  µs: 'microseconds',
  'per second': 'per second',
  'bytes per second': 'bytes per second',
  share: 'share',
  count: 'count',
}

/** One picture of a series for each unit that its figures have. */
export function plotsOf(series: Series, rows: readonly Row[]): { readonly file: string; readonly svg: string }[] {
  const byUnit = Map.groupBy(series.columns, ({ unit }) => unit)
  if (rows.length < 2) return []
  return [...byUnit].map(([unit, columns]) => {
    const lines = columns.map(({ figure, title }) => ({
      name: title,
      points: rows.map(({ x, figures }) => [x, figures[figure] ?? 0] as const),
    }))
    const title = `${series.name}: ${yTitles[unit]}`
    const file = `${series.name}-${yTitles[unit].replaceAll(' ', '-')}.svg`
    return { file, svg: drawPlot({ title, xTitle: series.xTitle, yTitle: yTitles[unit], lines }) }
  })
}
