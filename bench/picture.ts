/**
 * Draws what a command printed as an SVG that looks like a terminal, for the README.
 *
 * Usage: script -qec 'stty cols 112; make demo' /dev/null | node bench/picture.ts 'make demo' > docs/demo.svg
 */
import { readFileSync } from 'node:fs'

const columnsMost = 112
const cell = { width: 8.4, height: 18 }
const margin = { side: 16, top: 44, bottom: 16 }

const colours: Readonly<Record<string, string>> = {
  '31': '#ff7b72',
  '32': '#7ee787',
  '33': '#e3b341',
  '34': '#79c0ff',
  '36': '#76e3ea',
  '90': '#8b949e',
}

const escape = /(\x1b\[[0-9;?]*[A-Za-z])/

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/**
 * The rows of the terminal that a line takes, as tspans. A carriage return starts the line again, and what is too long
 * goes on in the next row, as in a terminal.
 */
function drawLine(line: string): string[] {
  const visible = line.split('\r').findLast((part) => stripEscapes(part) !== '') ?? ''
  const rows = ['']
  let style = ''
  let column = 0
  for (const part of visible.split(escape)) {
    if (escape.test(part)) {
      style = part.endsWith('m') ? styleOf(part.slice(2, -1)) : style
      continue
    }
    for (let rest = part; rest !== ''; rest = rest.slice(columnsMost - column), column = 0) {
      if (rest.length <= columnsMost - column) {
        rows[rows.length - 1] += `<tspan${style}>${escapeXml(rest)}</tspan>`
        column += rest.length
        break
      }
      rows[rows.length - 1] += `<tspan${style}>${escapeXml(rest.slice(0, columnsMost - column))}</tspan>`
      rows.push('')
    }
  }
  return rows
}

function stripEscapes(text: string): string {
  return text
    .split(escape)
    .filter((part) => !escape.test(part))
    .join('')
}

function styleOf(codes: string): string {
  const attributes = codes.split(';').map((code) => {
    if (code === '1') return ' font-weight="bold"'
    const colour = colours[code]
    return colour === undefined ? '' : ` fill="${colour}"`
  })
  return attributes.join('')
}

function drawTerminal(title: string, text: string): string {
  const lines = text.replace(/\s+$/, '').split(/\r?\n/).flatMap(drawLine)
  const width = columnsMost * cell.width + 2 * margin.side
  const height = lines.length * cell.height + margin.top + margin.bottom
  const rows = lines.map((line, row) => {
    const y = margin.top + (row + 0.75) * cell.height
    return `<text x="${margin.side}" y="${y}" xml:space="preserve">${line}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<circle cx="20" cy="18" r="6" fill="#ff5f56"/><circle cx="40" cy="18" r="6" fill="#ffbd2e"/>
<circle cx="60" cy="18" r="6" fill="#27c93f"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#c9d1d9">
<text x="${width / 2}" y="23" text-anchor="middle" fill="#8b949e">${escapeXml(title)}</text>
${rows.join('\n')}
</g>
</svg>
`
}

process.stdout.write(drawTerminal(process.argv[2] ?? '', readFileSync(0, 'utf8')))
