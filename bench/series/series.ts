import type { Column, Row } from './figures.ts'

export interface SeriesContext {
  /** For everything temporary; removed at the end. */
  readonly directory: string
  /** Points above it are left out. */
  readonly max: number
  readonly signal: AbortSignal
  /** Says how far it is. */
  readonly note: (text: string) => void
}

/** How the cost of something grows with something. */
export interface Series {
  readonly name: string
  readonly description: string
  /** What is varied. */
  readonly xTitle: string
  readonly columns: readonly Column[]
  /** A value of x beyond the points, for which the table has what the figures would be. */
  readonly onPaper?: number
  run(context: SeriesContext): AsyncIterable<Row>
}
