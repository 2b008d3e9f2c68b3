/**
 * Draws what a command printed as an SVG that looks like a terminal, for the README.
 *
 * Usage: node bench/picture.ts TITLE < output > picture.svg
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

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** One line of the terminal as tspans; a carriage return starts the line again, as a terminal would. */
function drawLine(line: string): string {
  const visible = line.split('\r').findLast((part) => part !== '') ?? ''
  let style = ''
  let drawn = ''
  for (const part of visible.split(/(\x1b\[[0-9;]*[A-Za-z])/)) {
    if (part.startsWith('\x1b[')) {
      style = part.endsWith('m') ? styleOf(part.slice(2, -1)) : style
    } else if (part !== '') {
      drawn += `<tspan${style}>${escapeXml(part)}</tspan>`
    }
  }
  return drawn
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
  const lines = text.replace(/\n+$/, '').split('\n')
  const width = columnsMost * cell.width + 2 * margin.side
  const height = lines.length * cell.height + margin.top + margin.bottom
  const rows = lines.map((line, row) => {
    const y = margin.top + (row + 0.75) * cell.height
    return `<text x="${margin.side}" y="${y}" xml:space="preserve">${drawLine(line)}</text>`
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
