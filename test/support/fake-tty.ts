import { EventEmitter } from 'node:events'
import type { TuiTerminal } from '../../src/tui/tui-terminal.ts'
import { systemClock } from '../../src/system/clock.ts'
import { TerminalScreen } from '../../bench/terminal/terminal-screen.ts'

class FakeInput extends EventEmitter {
  raw = false
  setRawMode(raw: boolean): void {
    this.raw = raw
  }
  setEncoding(): void {}
  resume(): void {}
  pause(): void {}
}

class FakeOutput extends EventEmitter {
  readonly screen: TerminalScreen
  /** Whether it takes what is written at once. */
  full = false
  writes = 0
  /** Called whenever the screen has changed, before whoever changed it goes on. */
  onPainted: (() => void) | undefined

  constructor(screen: TerminalScreen) {
    super()
    this.screen = screen
  }

  get columns(): number {
    return this.screen.columns
  }

  get rows(): number {
    return this.screen.rows
  }

  write(text: string): boolean {
    this.writes += 1
    this.screen.write(text)
    this.onPainted?.()
    return !this.full
  }
}

const patienceMs = 60_000

/** A person at a terminal: types, and reads the screen. */
export class FakeTty implements TuiTerminal {
  readonly screen: TerminalScreen
  readonly input = new FakeInput()
  readonly output: FakeOutput
  readonly colour = false

  constructor(columns = 80, rows = 24) {
    this.screen = new TerminalScreen(columns, rows)
    this.output = new FakeOutput(this.screen)
  }

  type(text: string): void {
    this.input.emit('data', text)
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows)
    this.output.emit('resize')
  }

  /**
   * Waits for a text that may be on the screen for a moment only, from now on: resolves when it is painted, before
   * another turn of the event loop.
   */
  shows(wanted: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.output.onPainted = () => {
      if (!this.screen.text().includes(wanted)) return
      this.output.onPainted = undefined
      resolve()
    }
    return promise
  }

  /** Waits for something to be on the screen. @throws Error with what is there when it does not come */
  async sees(...wanted: (string | RegExp)[]): Promise<string> {
    const giveUpMs = systemClock.monotonicMs() + patienceMs
    for (;;) {
      const text = this.screen.text()
      if (wanted.every((each) => (typeof each === 'string' ? text.includes(each) : each.test(text)))) return text
      if (systemClock.monotonicMs() > giveUpMs) throw new Error(`not on the screen: ${wanted.join(', ')}\n${text}`)
      await systemClock.sleep(5)
    }
  }
}

export const keys = {
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  enter: '\r',
  escape: '\x1b',
  tab: '\t',
  backspace: '\x7f',
  ctrlC: '\x03',
} as const
