import { spawn } from 'node:child_process'
import { TwofoldError } from '../core/errors.ts'

export interface CommandOptions {
  /** Added to those of this process. */
  readonly environment: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** After so long it is killed. */
  readonly msMax: number
  /** The end of what it says that is kept, in bytes. */
  readonly outputBytesMax: number
}

export interface CommandResult {
  /** Undefined when a signal, or the lack of time, ended it. */
  readonly exitCode: number | undefined
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string
  readonly timedOut: boolean
}

const killAfterMs = 5000

/** Runs a line of shell to its end, with all that it starts. @throws the signal's reason when it is aborted */
export function runCommand(line: string, options: CommandOptions): Promise<CommandResult> {
  const { environment, signal, msMax, outputBytesMax } = options
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment }
    // A group of its own, so that what the shell started ends with it.
    const child = spawn('/bin/sh', ['-c', line], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = Buffer.alloc(0)
    let timedOut = false
    let killing: NodeJS.Timeout | undefined
    const end = (): void => {
      signalGroup(child.pid, 'SIGTERM')
      killing ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), killAfterMs)
    }
    const timer = setTimeout(() => {
      timedOut = true
      end()
    }, msMax)
    const take = (data: Buffer): void => {
      output = Buffer.concat([output, data])
      if (output.length > outputBytesMax) output = output.subarray(output.length - outputBytesMax)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    signal.addEventListener('abort', end, { once: true })
    const done = (finish: () => void): void => {
      clearTimeout(timer)
      clearTimeout(killing)
      signal.removeEventListener('abort', end)
      finish()
    }
    child.on('error', (error) => {
      done(() => reject(new TwofoldError('io', 'the shell could not be started', { cause: error })))
    })
    child.on('close', (code) => {
      done(() => {
        if (signal.aborted) reject(signal.reason as Error)
        else resolve({ exitCode: code ?? undefined, output: output.toString(), timedOut })
      })
    })
  })
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch (error) {
    // It is over already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
