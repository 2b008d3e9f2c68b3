import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { exitCodeOf } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'
import type { TwofoldError } from '../core/errors.ts'
import { safeText } from './safe-text.ts'
import { colourStyle, plainStyle } from './style.ts'
import type { Style } from './style.ts'

/** Where a command prints to. */
export interface Terminal {
  readonly stdout: Writable
  readonly stderr: Writable
  /** Whether somebody watches stdout: then progress is drawn in place. */
  readonly interactive: boolean
  readonly colour: boolean
  columns(): number
}

/**
 * All that a command says. For people: lines on stdout, a status that is redrawn in place when somebody watches. With
 * `--json`: one object a line in restic's words. Problems go to stderr either way.
 *
 * Promises resolve when the reader of the output can take more, so that long lists take no memory.
 */
export class Output {
  readonly json: boolean
  readonly style: Style
  readonly #terminal: Terminal
  #statusShown = false

  constructor(terminal: Terminal, options: { json: boolean }) {
    this.#terminal = terminal
    this.json = options.json
    this.style = terminal.colour && !options.json ? colourStyle : plainStyle
  }

  get interactive(): boolean {
    return this.#terminal.interactive && !this.json
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

  /** A line for programs; nothing without `--json`. */
  async record(value: object): Promise<void> {
    if (this.json) await write(this.#terminal.stdout, `${JSON.stringify(value)}\n`)
  }

  /** Content itself, as it is. */
  async raw(data: Uint8Array): Promise<void> {
    await write(this.#terminal.stdout, data)
  }

  /** Something went wrong that did not end the command, or a remark beside the content. */
  problem(text: string, record?: object): void {
    this.clearStatus()
    if (!this.json) this.#terminal.stderr.write(`${text}\n`)
    else if (record !== undefined) this.#terminal.stderr.write(`${JSON.stringify(record)}\n`)
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
    if (!this.interactive) return
    this.#terminal.stdout.write(`\r${text}\x1b[K`)
    this.#statusShown = true
  }

  clearStatus(): void {
    if (!this.#statusShown) return
    this.#terminal.stdout.write('\r\x1b[K')
    this.#statusShown = false
  }
}

async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (!stream.write(data)) await once(stream, 'drain')
}
