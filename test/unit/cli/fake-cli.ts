import type { Readable } from 'node:stream'
import { PassThrough, Writable } from 'node:stream'
import type { Terminal } from '../../../src/cli/output.ts'
import type { Surroundings } from '../../../src/cli/program.ts'
import { systemClock } from '../../../src/system/clock.ts'

class Collector extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

export interface Captured {
  readonly terminal: Terminal
  readonly out: () => string
  readonly err: () => string
}

/** A terminal that remembers what was printed. */
export function captureTerminal(options: { interactive?: boolean; colour?: boolean; columns?: number } = {}): Captured {
  const stdout = new Collector()
  const stderr = new Collector()
  const { interactive = false, colour = false, columns = 80 } = options
  return {
    terminal: { stdout, stderr, interactive, colour, columns: () => columns },
    out: () => stdout.text,
    err: () => stderr.text,
  }
}

export function surroundingsOf(
  terminal: Terminal,
  environment: Readonly<Record<string, string>> = {},
  stdin: Readable = new PassThrough().end(),
): Surroundings {
  return {
    terminal,
    stdin,
    environment: { XDG_CONFIG_HOME: '/proc/nonexistent', ...environment },
    clock: systemClock,
    signal: new AbortController().signal,
    onProgressAsked: () => () => undefined,
  }
}
