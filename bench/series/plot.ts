/** A line of a plot: points with x and y above zero. */
export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  readonly title: string
  readonly xTitle: string
  readonly yTitle: string
  readonly lines: readonly Line[]
}

const size = { width: 720, height: 420 }
const margin = { left: 76, right: 176, top: 44, bottom: 56 }
/** Told apart by people who see few colours, on white and on black. */
const colours = ['#0f7cc2', '#d55e00', '#009e73', '#b65a9a', '#b08900', '#6f7782']

/** From a logarithm of a range to a place on an axis. */
interface Scale {
  readonly decades: readonly [from: number, to: number]
  place(value: number): number
}

/** The whole powers of ten around some values; at least one decade. */
export function decadesAround(values: readonly number[]): readonly [from: number, to: number] {
  const logs = values.map(Math.log10)
  const from = Math.floor(Math.min(...logs) + 1e-9)
  // Plus zero, because rounding up may give minus zero.
  const to = Math.ceil(Math.max(...logs) - 1e-9) + 0
  return [from, Math.max(to, from + 1)]
}

function scaleOf(values: readonly number[], start: number, end: number): Scale {
  const [from, to] = decadesAround(values)
  return {
    decades: [from, to],
    place: (value) => start + ((Math.log10(value) - from) / (to - from)) * (end - start),
  }
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const round = (value: number): string => String(Math.round(value * 10) / 10)

/** 1,000 as `1k`, 1,000,000 as `1M`, 0.01 as `0.01`. */
export function powerText(power: number): string {
  const signs = ['', 'k', 'M', 'G', 'T']
  if (power < 0) return String(10 ** power)
  const sign = signs[Math.floor(power / 3)]
  return sign === undefined ? `1e${power}` : `${10 ** (power % 3)}${sign}`
}

function powersOf({ decades: [from, to] }: Scale): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}

function gridLines(x: Scale, y: Scale): string[] {
  const bottom = size.height - margin.bottom
  const right = size.width - margin.right
  const vertical = powersOf(x).map((power) => {
    const at = round(x.place(10 ** power))
    return (
      `<path class="grid" d="M${at} ${margin.top}V${bottom}"/>` +
      `<text x="${at}" y="${bottom + 18}" text-anchor="middle">${powerText(power)}</text>`
    )
  })
  const horizontal = powersOf(y).map((power) => {
    const at = y.place(10 ** power)
    return (
      `<path class="grid" d="M${margin.left} ${round(at)}H${right}"/>` +
      `<text x="${margin.left - 8}" y="${round(at + 4)}" text-anchor="end">${powerText(power)}</text>`
    )
  })
  return [...vertical, ...horizontal]
}

function drawLine(line: Line, colour: string, x: Scale, y: Scale): string {
  const places = line.points.map(([px, py]) => [round(x.place(px)), round(y.place(py))] as const)
  const path = places.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${px} ${py}`).join('')
  const dots = places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3.5" fill="${colour}"/>`).join('')
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}`
}

function drawLegend(lines: readonly Line[]): string[] {
  const left = size.width - margin.right + 14
  return lines.map(({ name }, at) => {
    const top = margin.top + 10 + at * 20
    const colour = colours[at % colours.length] ?? ''
    return (
      `<path d="M${left} ${top}h16" stroke="${colour}" stroke-width="3"/>` +
      `<text x="${left + 22}" y="${top + 4}">${escapeXml(name)}</text>`
    )
  })
}

/**
 * A picture of lines on logarithmic axes as SVG, so that what grows in proportion rises at 45 degrees of a square grid.
 * It has no background of its own and follows the reader's light or dark scheme. Points at or below zero are left out.
 */
export function drawPlot(plot: Plot): string {
  const lines = plot.lines.map(({ name, points }) => ({ name, points: points.filter(([px, py]) => px > 0 && py > 0) }))
  const points = lines.flatMap((line) => line.points)
  const middle = (margin.left + size.width - margin.right) / 2
  const bottom = size.height - margin.bottom
  const frame = [
    `<text class="title" x="${margin.left}" y="24">${escapeXml(plot.title)}</text>`,
    `<text x="${middle}" y="${size.height - 12}" text-anchor="middle">${escapeXml(plot.xTitle)}</text>`,
    `<text x="16" y="${bottom / 2 + 22}" text-anchor="middle" transform="rotate(-90 16 ${bottom / 2 + 22})">` +
      `${escapeXml(plot.yTitle)}</text>`,
  ]
  const drawn: string[] = []
  if (points.length > 0) {
    const xs = points.map(([px]) => px)
    const ys = points.map(([, py]) => py)
    const x = scaleOf(xs, margin.left, size.width - margin.right)
    const y = scaleOf(ys, bottom, margin.top)
    drawn.push(...gridLines(x, y))
    for (const [at, line] of lines.entries()) drawn.push(drawLine(line, colours[at % colours.length] ?? '', x, y))
    drawn.push(...drawLegend(lines))
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img">
<style>
text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #424a53 }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8b949e; stroke-opacity: 0.35 }
@media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } }
</style>
${[...frame, ...drawn].join('\n')}
</svg>
`
}
