/** One point of a series: what was varied, and what was seen there. */
export interface Row {
  readonly x: number
  /** By name; undefined where it could not be told. */
  readonly figures: Figures
}

export type Figures = Readonly<Record<string, number | undefined>>

export type Unit = 'bytes' | 'ms' | 's' | 'µs' | 'per second' | 'bytes per second' | 'share' | 'count'

/** What a series tells of each point. */
export interface Column {
  readonly figure: string
  readonly title: string
  /** Of the figure itself; tables show bytes as MB and shares as per cent. */
  readonly unit: Unit
  /** What it should be, at every point. */
  readonly atMost?: number
  readonly atLeast?: number
}

/**
 * The power of x that a figure grows with: 0 when it stays the same, 1 when it is twice as much at twice the x. It is
 * the slope of the straight line nearest to the points on logarithmic axes; NaN of fewer than two points above zero.
 */
export function exponent(points: readonly (readonly [x: number, y: number | undefined])[]): number {
  const logs = points.flatMap(([x, y]) =>
    x > 0 && y !== undefined && y > 0 ? [[Math.log(x), Math.log(y)] as const] : [],
  )
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const meanX = meanOf(logs.map(([x]) => x))
  const meanY = meanOf(logs.map(([, y]) => y))
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const variance = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return covariance / variance
}

/** What a figure would be at another x if it goes on to grow as it did; NaN of fewer than two points above zero. */
export function extrapolate(points: readonly (readonly [x: number, y: number | undefined])[], x: number): number {
  const last = points.findLast(([, y]) => y !== undefined)
  return last === undefined ? Number.NaN : (last[1] ?? Number.NaN) * (x / last[0]) ** exponent(points)
}
