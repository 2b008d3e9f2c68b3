import { render } from 'ink'
import { createElement } from 'react'
import { App } from './app.ts'
import { FramePainter } from './frame-painter.ts'
import { createPerformer } from './perform-work.ts'
import type { WorkDeps } from './perform-work.ts'
import { enterScreen, leaveScreen } from './tui-terminal.ts'
import type { TuiTerminal } from './tui-terminal.ts'

export { leaveScreen } from './tui-terminal.ts'
export type { TuiTerminal } from './tui-terminal.ts'

export interface TuiOptions extends WorkDeps {
  readonly terminal: TuiTerminal
  /** Where the manager is said to be. */
  readonly manager: string
  /** The folder that files are chosen from: absolute, as bytes. */
  readonly root: Uint8Array
  /** Of this machine: an IANA name. */
  readonly timeZone: string
  /** Aborted when it is to end: what is under way is ended in order first. */
  readonly signal: AbortSignal
}

/** Opens the full-screen client. Resolves when it was left; the terminal is then as it was. */
export async function runTui(options: TuiOptions): Promise<void> {
  const { terminal, clock, manager, root, timeZone, signal } = options
  const painter = new FramePainter(terminal.output)
  terminal.output.write(enterScreen)
  try {
    const window = { columns: painter.columns, rows: painter.rows }
    const beginning = { window, nowMs: clock.nowMs(), manager, root, timeZone }
    const app = createElement(App, { terminal, painter, perform: createPerformer(options), clock, beginning, signal })
    // Ink makes frames, each as a whole and only when something changed; the painter has the terminal.
    const stdout = painter as unknown as NodeJS.WriteStream
    const ink = render(app, { stdout, debug: true, exitOnCtrlC: false, patchConsole: false })
    await ink.waitUntilExit()
  } finally {
    painter.close()
    terminal.output.write(leaveScreen)
  }
}
