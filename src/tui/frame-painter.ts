import { EventEmitter } from 'node:events'
import type { TerminalOutput } from './tui-terminal.ts'

const clear = '\x1b[2J'
const beginFrame = '\x1b[?2026h'
const endFrame = '\x1b[?2026l'

/**
 * Takes whole frames and changes on the terminal what is different from the frame before, line by line. While the
 * terminal cannot take more, only the newest frame is kept, so that a slow one is never behind.
 *
 * For Ink it is the stream that it writes to.
 */
export class FramePainter extends EventEmitter {
  readonly #output: TerminalOutput
  /** Undefined: what the window shows is not known. */
  #shown: readonly string[] | undefined
  #waiting: string | undefined
  #full = false
  #closed = false

  constructor(output: TerminalOutput) {
    super()
    this.#output = output
  }

  get columns(): number {
    return this.#output.columns ?? 80
  }

  get rows(): number {
    return this.#output.rows ?? 24
  }

  /** A frame: its lines with line ends between them. */
  write(frame: string, ...rest: readonly unknown[]): boolean {
    if (frame !== '') this.#offer(frame)
    const done = rest.at(-1)
    if (typeof done === 'function') (done as () => void)()
    return true
  }

  /** The window has another size, or somebody else wrote to it: the next frame is painted as a whole. */
  invalidate(): void {
    this.#shown = undefined
  }

  /** Nothing is painted any more. */
  close(): void {
    this.#closed = true
    this.#waiting = undefined
  }

  #offer(frame: string): void {
    if (this.#closed) return
    if (this.#full) this.#waiting = frame
    else this.#paint(frame)
  }

  #paint(frame: string): void {
    const lines = frame.split('\n').slice(0, this.rows)
    const before = this.#shown
    const changes = lines.flatMap((text, row) => (before?.[row] === text ? [] : [lineAt(row, text)]))
    for (let row = lines.length; row < (before?.length ?? 0); row++) changes.push(lineAt(row, ''))
    this.#shown = lines
    if (before !== undefined && changes.length === 0) return
    const start = before === undefined ? `${beginFrame}${clear}` : beginFrame
    if (this.#output.write(`${start}${changes.join('')}${endFrame}`)) return
    this.#full = true
    this.#output.once('drain', () => this.#drained())
  }

  #drained(): void {
    this.#full = false
    const frame = this.#waiting
    this.#waiting = undefined
    if (frame !== undefined) this.#offer(frame)
  }
}

function lineAt(row: number, text: string): string {
  return `\x1b[${row + 1};1H\x1b[0m\x1b[2K${text}`
}
