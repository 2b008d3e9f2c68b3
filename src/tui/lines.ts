/** What a screen shows, as data: lines of pieces of text. Everything in them is safe for a terminal. */
import { characterWidth, padText, textWidth } from '../core/text-width.ts'

export type Tone = 'plain' | 'strong' | 'dim' | 'good' | 'warn' | 'bad' | 'accent'

export interface Span {
  readonly text: string
  readonly tone?: Tone
}

export type Line = readonly Span[]

/** How much of a window there is, in characters. */
export interface Room {
  readonly columns: number
  readonly rows: number
}

export function line(...parts: (string | Span)[]): Line {
  return parts.map((part) => (typeof part === 'string' ? { text: part } : part))
}

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone }
}

export const emptyLine: Line = []

export function lineWidth(of: Line): number {
  return of.reduce((sum, { text }) => sum + textWidth(text), 0)
}

export function lineText(of: Line): string {
  return of.map(({ text }) => text).join('')
}

/** The line with at most `columns`; what is left out shows as `…`. */
export function fitLine(of: Line, columns: number): Line {
  if (lineWidth(of) <= columns) return of
  const kept: Span[] = []
  let left = columns - 1
  for (const part of of) {
    let text = ''
    for (const character of part.text) {
      left -= characterWidth(character)
      if (left < 0) break
      text += character
    }
    if (text !== '') kept.push({ ...part, text })
    if (left < 0) break
  }
  return columns > 0 ? [...kept, { text: '…' }] : []
}

/** `start` at the left, `end` at the right; what does not fit of `start` goes. */
export function spread(start: Line, end: Line, columns: number): Line {
  const room = columns - lineWidth(end)
  if (room < 1) return fitLine(end, columns)
  const fitted = fitLine(start, room - 1)
  return [...fitted, { text: ' '.repeat(room - lineWidth(fitted)) }, ...end]
}

/** Text in lines of at most `columns`, broken between words where there are any. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of text.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`
    if (textWidth(longer) <= columns) {
      current = longer
      continue
    }
    if (current !== '') lines.push(current)
    current = word
    while (textWidth(current) > columns) {
      const characters = [...current]
      lines.push(characters.slice(0, columns).join(''))
      current = characters.slice(columns).join('')
    }
  }
  return [...lines, current]
}

/** `█████░░░░░` */
export function bar(fraction: number, width: number): string {
  const full = Math.min(width, Math.max(0, Math.round(fraction * width)))
  return '█'.repeat(full) + '░'.repeat(width - full)
}

export function pad(text: string, width: number, tone: Tone = 'plain'): Span {
  return { text: padText(text, width), tone }
}
