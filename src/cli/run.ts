import { systemClock } from '../system/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { exitCodes } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Terminal } from './output.ts'
import { runProgram } from './program.ts'

/** What a shell reports for a process that a closed pipe ended, as in `twofold ls latest | head -1`. */
const closedPipeExitCode = 141
const interruptedExitCode: ExitCode = 130

const terminal: Terminal = {
  stdout: process.stdout,
  stderr: process.stderr,
  interactive: process.stdout.isTTY,
  colour: wantsColour(),
  columns: () => process.stdout.columns ?? 80,
}

function wantsColour(): boolean {
  const { NO_COLOR, TERM } = process.env
  return process.stdout.isTTY && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
}

/** The first signal asks the command to stop, the second one does not ask. */
function watchSignals(): AbortSignal {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(interruptedExitCode)
    controller.abort(new TwofoldError('cancelled', exitCodes[interruptedExitCode]))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}

/** SIGUSR1 asks how far a command is. It is taken in any case: what Node does with it otherwise is to open a port. */
function watchQuestions(): (listener: () => void) => () => void {
  const listeners = new Set<() => void>()
  process.on('SIGUSR1', () => {
    for (const listener of listeners) listener()
  })
  return (listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? closedPipeExitCode : 1)
  })
}

const exitCode = await runProgram(process.argv.slice(2), {
  terminal,
  stdin: process.stdin,
  environment: process.env,
  clock: systemClock,
  signal: watchSignals(),
  onProgressAsked: watchQuestions(),
})
// What is written to a pipe may still be on its way.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
process.exit(exitCode)
