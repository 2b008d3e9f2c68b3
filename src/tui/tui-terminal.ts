/** The terminal that the full-screen client is on, as a port. Node's streams of a terminal are drivers of it. */
export interface TuiTerminal {
  readonly input: TerminalInput
  readonly output: TerminalOutput
  /** False: nothing is told by colour. */
  readonly colour: boolean
}

export interface TerminalInput {
  setRawMode(raw: boolean): unknown
  setEncoding(encoding: 'utf8'): unknown
  on(event: 'data', listener: (text: string) => void): unknown
  on(event: 'end' | 'error', listener: () => void): unknown
  off(event: 'data', listener: (text: string) => void): unknown
  off(event: 'end' | 'error', listener: () => void): unknown
  resume(): unknown
  pause(): unknown
}

export interface TerminalOutput {
  /** Of the window; undefined where nobody knows. */
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  /** @returns whether more may be written before `drain` */
  write(text: string): boolean
  /** Also when it is told of the size that it has already: what was shown may be gone. */
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
  once(event: 'drain', listener: () => void): unknown
}

/** Another screen than the one with the shell, no cursor, marks around what is pasted, no line that runs over. */
export const enterScreen = '\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?7l\x1b[2J\x1b[H'
/** Everything as it was, the cursor too: whatever is written comes after it. */
export const leaveScreen = '\x1b[0m\x1b[?7h\x1b[?2004l\x1b[?25h\x1b[?1049l'
