/** Draws the cells of a terminal as an SVG: every run of cells that look the same is placed by itself, on the grid. */
import { plainStyle } from './cell.ts'
import type { Cell, CellStyle } from './cell.ts'

export interface Picture {
  /** Written above the screen. */
  readonly title: string
  readonly columns: number
  /** Row by row; rows may be shorter than `columns`. */
  readonly cells: readonly (readonly Cell[])[]
}

interface Run {
  readonly column: number
  readonly text: string
  readonly style: CellStyle
}

const cell = { width: 8.4, height: 18 }
const margin = { side: 16, top: 44, bottom: 16 }
/** How far below the upper edge of its row a text stands, in rows. */
const baseline = 0.75

const paper = '#0d1117'
const ink = '#c9d1d9'
/** By number, black to bright white. */
const colours = [
  ...['#484f58', '#ff7b72', '#7ee787', '#e3b341', '#79c0ff', '#d2a8ff', '#76e3ea', '#c9d1d9'],
  ...['#8b949e', '#ffa198', '#a5d6a7', '#f2cc60', '#a5d6ff', '#e2c5ff', '#b3f0ff', '#ffffff'],
]

export function drawScreen({ title, columns, cells }: Picture): string {
  const width = rounded(columns * cell.width + 2 * margin.side)
  const height = rounded(cells.length * cell.height + margin.top + margin.bottom)
  const rows = cells.flatMap((line, row) => runsOf(line).flatMap((run) => drawRun(run, row)))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>${escapeXml(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${paper}"/>
<circle cx="20" cy="18" r="6" fill="#ff5f56"/><circle cx="40" cy="18" r="6" fill="#ffbd2e"/>
<circle cx="60" cy="18" r="6" fill="#27c93f"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="${ink}">
<text x="${rounded(width / 2)}" y="23" text-anchor="middle" fill="#8b949e">${escapeXml(title)}</text>
${rows.join('\n')}
</g>
</svg>
`
}

/** What looks the same side by side; without blank cells at the ends, unless they are coloured. */
function runsOf(line: readonly Cell[]): Run[] {
  const runs: Run[] = []
  for (const [column, { text, style }] of line.entries()) {
    const last = runs.at(-1)
    if (last !== undefined && looksLike(last.style, style)) runs[runs.length - 1] = { ...last, text: last.text + text }
    else runs.push({ column, text, style })
  }
  return runs.flatMap((run) => (hasGround(run.style) ? [run] : trimmed(run)))
}

function trimmed({ column, text, style }: Run): Run[] {
  const begin = text.length - text.trimStart().length
  return text.trim() === '' ? [] : [{ column: column + begin, text: text.trim(), style }]
}

function drawRun({ column, text, style }: Run, row: number): string[] {
  const [x, y] = [margin.side + column * cell.width, margin.top + row * cell.height]
  const width = rounded(Array.from(text).length * cell.width)
  const ground = hasGround(style)
    ? [`<rect x="${rounded(x)}" y="${rounded(y)}" width="${width}" height="${cell.height}" fill="${groundOf(style)}"/>`]
    : []
  if (text.trim() === '') return ground
  const weight = style.bold ? ' font-weight="bold"' : ''
  const fill = inkOf(style) === ink ? '' : ` fill="${inkOf(style)}"`
  const place = `x="${rounded(x)}" y="${rounded(y + baseline * cell.height)}" textLength="${width}"`
  return [...ground, `<text ${place} xml:space="preserve"${weight}${fill}>${escapeXml(text)}</text>`]
}

const hasGround = ({ inverse, background }: CellStyle): boolean => inverse || background !== undefined

function inkOf({ inverse, colour, background }: CellStyle): string {
  if (inverse) return colourOf(background, paper)
  return colourOf(colour, ink)
}

function groundOf({ inverse, colour, background }: CellStyle): string {
  return inverse ? colourOf(colour, ink) : colourOf(background, paper)
}

function colourOf(number: number | undefined, otherwise: string): string {
  return number === undefined ? otherwise : (colours[number] ?? otherwise)
}

function looksLike(one: CellStyle, other: CellStyle): boolean {
  return (Object.keys(plainStyle) as (keyof CellStyle)[]).every((key) => one[key] === other[key])
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100
}

/** XML knows no control characters, however they are written. */
function escapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => named[character] ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}
