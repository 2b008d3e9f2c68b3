import type { Readable } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Terminal } from './output.ts'

/** What a command gets from the process that it runs in. */
export interface Cli {
  readonly terminal: Terminal
  readonly stdin: Readable
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** Has `listener` called when somebody asks the process how far it is. @returns how to end that */
  readonly onProgressAsked: (listener: () => void) => () => void
  /** What the process ends with unless a failure says something else. */
  setExitCode(code: ExitCode): void
  /** Whether a failure is told as JSON. */
  setJson(json: boolean): void
}
