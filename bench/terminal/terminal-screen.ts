import { applyRendition, blankCell, plainStyle } from './cell.ts'
import type { Cell, CellStyle } from './cell.ts'

/** What a terminal shows that understands as much as this program's screens and lines say: for tests and pictures. */
export class TerminalScreen {
  columns: number
  rows: number
  /** Whether the other screen than the shell's is shown. */
  alternate = false
  cursorShown = true
  pasteMarked = false
  wraps = true
  /** Whether anything was ever coloured. */
  coloured = false
  /** What came that a terminal must not be sent by names of files. */
  readonly unknown: string[] = []
  #lines: Cell[][] = []
  #style: CellStyle = plainStyle
  #row = 0
  #column = 0
  /** Where the cursor of the shell's screen is. */
  #saved: [number, number] = [0, 0]
  #pending = ''

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
    this.#clear()
  }

  resize(columns: number, rows: number): void {
    this.columns = columns
    this.rows = rows
    this.#lines = Array.from({ length: rows }, (_, at) => this.#lines[at]?.slice(0, columns) ?? [])
  }

  write(text: string): void {
    let rest = this.#pending + text
    this.#pending = ''
    while (rest !== '') {
      const sequence = /^\x1b\[([?>]?)([0-9;]*)([A-Za-z])/.exec(rest)
      if (sequence !== null) {
        this.#control(sequence[1] ?? '', sequence[2] ?? '', sequence[3] ?? '')
        rest = rest.slice(sequence[0].length)
      } else if (rest.startsWith('\x1b') && /^\x1b(\[[?>]?[0-9;]*)?$/.test(rest)) {
        this.#pending = rest
        return
      } else {
        const [character = ''] = rest
        this.#put(character)
        rest = rest.slice(character.length)
      }
    }
  }

  text(): string {
    return this.cells()
      .map((line) =>
        line
          .map((cell) => cell.text)
          .join('')
          .trimEnd(),
      )
      .join('\n')
  }

  lines(): string[] {
    return this.text().split('\n')
  }

  /** Row by row; a row ends with the last cell that anything was written to. */
  cells(): Cell[][] {
    return this.#lines.map((line) => Array.from(line, (cell) => cell ?? blankCell))
  }

  #clear(): void {
    this.#lines = Array.from({ length: this.rows }, () => [])
  }

  #newLine(): void {
    if (this.#row < this.rows - 1) this.#row += 1
    else {
      this.#lines.shift()
      this.#lines.push([])
    }
  }

  #put(character: string): void {
    if (character === '\n') return this.#newLine()
    if (character === '\r') {
      this.#column = 0
      return
    }
    if (/[\u0000-\u001f\u007f-\u009f]/.test(character)) {
      this.unknown.push(JSON.stringify(character))
      return
    }
    if (this.wraps && this.#column >= this.columns) {
      this.#newLine()
      this.#column = 0
    }
    // Where it does not wrap, what is too long piles up in the last column.
    const column = Math.min(this.#column, this.columns - 1)
    const line = this.#lines[this.#row]
    if (line !== undefined) line[column] = { text: character, style: this.#style }
    this.#column += 1
  }

  #control(prefix: string, parameters: string, final: string): void {
    const numbers = parameters.split(';').map(Number)
    if (prefix === '?' && (final === 'h' || final === 'l')) return this.#mode(numbers, final === 'h')
    switch (final) {
      case 'H':
        this.#row = Math.max(0, (numbers[0] || 1) - 1)
        this.#column = Math.max(0, (numbers[1] || 1) - 1)
        return
      case 'J':
        return this.#clear()
      case 'K': {
        const line = this.#lines[this.#row]
        if (line !== undefined) line.length = numbers[0] === 2 ? 0 : Math.min(line.length, this.#column)
        return
      }
      case 'm':
        this.#style = applyRendition(this.#style, numbers)
        this.coloured ||= this.#style.colour !== undefined || this.#style.background !== undefined
        return
      default:
        this.unknown.push(`${prefix}${parameters}${final}`)
    }
  }

  #mode(numbers: readonly number[], on: boolean): void {
    for (const number of numbers) {
      if (number === 1049) {
        this.alternate = on
        if (on) this.#saved = [this.#row, this.#column]
        else [this.#row, this.#column] = this.#saved
        this.#clear()
      } else if (number === 25) this.cursorShown = on
      else if (number === 2004) this.pasteMarked = on
      else if (number === 7) this.wraps = on
      else if (number !== 2026) this.unknown.push(`?${number}${on ? 'h' : 'l'}`)
    }
  }
}
