import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { exitCodeOf } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'
import type { TwofoldError } from '../core/errors.ts'
import { safeText, unsafeCharacters } from '../core/safe-text.ts'
import { colourStyle, plainStyle } from './style.ts'
import type { Style } from './style.ts'
import { renderTable } from './table.ts'
import type { Column, TableLayout } from './table.ts'
import { showTime } from './time-style.ts'
import type { TimeStyle } from './time-style.ts'

/** Where a command prints to. */
export interface Terminal {
  readonly stdout: Writable
  readonly stderr: Writable
  /** Whether somebody watches stdout: then progress is drawn in place. */
  readonly interactive: boolean
  readonly colour: boolean
  columns(): number
}

export interface OutputOptions {
  readonly json: boolean
  /** Only what was asked for, and problems: no progress, no headings, no remarks. */
  readonly quiet?: boolean | undefined
  readonly times?: TimeStyle | undefined
}

/**
 * All that a command says. For people: lines on stdout, a status that is redrawn in place when somebody watches. With
 * `--json`: one object a line in restic's words. Problems go to stderr either way.
 *
 * Promises resolve when the reader of the output can take more, so that long lists take no memory.
 */
export class Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly style: Style
  readonly #times: TimeStyle
  readonly #terminal: Terminal
  #statusShown = false

  constructor(terminal: Terminal, options: OutputOptions) {
    this.#terminal = terminal
    this.json = options.json
    this.quiet = options.quiet ?? false
    this.#times = options.times ?? 'absolute'
    this.style = terminal.colour && !options.json ? colourStyle : plainStyle
  }

  get interactive(): boolean {
    return this.#terminal.interactive && !this.json
  }

  /** Tables fit the window where there is one; into a file or a pipe goes everything. */
  get layout(): TableLayout {
    return { width: this.interactive ? this.columns : undefined, heading: !this.quiet }
  }

  get columns(): number {
    return this.#terminal.columns()
  }

  /** A line for people; nothing with `--json`. What comes from outside must have gone through `safeText`. */
  async line(text = ''): Promise<void> {
    if (this.json) return
    this.clearStatus()
    await write(this.#terminal.stdout, `${text}\n`)
  }

  async lines(texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.line(text)
  }

  /** A line that says nothing but what was done, or how to go on; nothing with `--quiet`. */
  async remark(text = ''): Promise<void> {
    if (!this.quiet) await this.line(text)
  }

  async remarks(texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.remark(text)
  }

  /** What a dry run found, which is asked for nothing else, or what was done, which are remarks. */
  async outcome(texts: readonly string[], { dryRun }: { readonly dryRun: boolean }): Promise<void> {
    await (dryRun ? this.lines(texts) : this.remarks(texts))
  }

  /** Cells must have gone through `safeText`. */
  async table(columns: readonly Column[], rows: readonly (readonly string[])[]): Promise<void> {
    if (!this.json) await this.lines(renderTable(columns, rows, this.layout))
  }

  /** A time as the user wants to see times. */
  time(ms: number, nowMs: number): string {
    return showTime(ms, this.#times, nowMs)
  }

  /** A line for programs; nothing without `--json`. */
  async record(value: object): Promise<void> {
    if (this.json) await write(this.#terminal.stdout, `${jsonLine(value)}\n`)
  }

  /** Content itself, as it is. */
  async raw(data: Uint8Array): Promise<void> {
    await write(this.#terminal.stdout, data)
  }

  /** Something went wrong that did not end the command, or a remark beside the content. */
  problem(text: string, record?: object): void {
    this.clearStatus()
    if (!this.json) this.#terminal.stderr.write(`${text}\n`)
    else if (record !== undefined) this.#terminal.stderr.write(`${jsonLine(record)}\n`)
  }

  /** Why the command ends: one line. */
  fatal(error: TwofoldError): ExitCode {
    const code = exitCodeOf[error.code]
    const message = error.message
    this.problem(`${this.style.red('twofold:')} ${safeText(message)}`, { message_type: 'exit_error', code, message })
    return code
  }

  /** Redraws the status; nothing when nobody watches. */
  status(text: string): void {
    if (!this.interactive || this.quiet) return
    this.#terminal.stdout.write(`\r${text}\x1b[K`)
    this.#statusShown = true
  }

  clearStatus(): void {
    if (!this.#statusShown) return
    this.#terminal.stdout.write('\r\x1b[K')
    this.#statusShown = false
  }
}

/** JSON that also a terminal takes for nothing but text: the same, with escapes for what could move its cursor. */
function jsonLine(value: object): string {
  return JSON.stringify(value).replace(unsafeCharacters, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (!stream.write(data)) await once(stream, 'drain')
}
