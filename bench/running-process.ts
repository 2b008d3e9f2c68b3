import { spawn } from 'node:child_process'
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** Children that are alive, so that none outlives this process. */
const children = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export interface SpawnOptions {
  readonly command: string
  readonly arguments: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  /** Where stderr goes. */
  readonly logFile: string
}

const listensWithinMs = 10_000
const lookAgainMs = 20

type ServerChild = ChildProcessByStdio<Writable | null, Readable, Readable>

/** A server in a process of its own, which stops when this process is gone in whatever way. */
export class RunningProcess {
  readonly #child: ServerChild
  readonly #ended: Promise<number | NodeJS.Signals>

  private constructor(child: ServerChild, logFile: string) {
    this.#child = child
    children.add(child)
    child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }))
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      children.delete(child)
      return (code ?? signal) as number | NodeJS.Signals
    })
  }

  /** Starts a server that stops with its stdin, and resolves with the address that it says it listens on. */
  static async start(options: SpawnOptions): Promise<{ process: RunningProcess; address: string }> {
    const child = spawn(options.command, options.arguments, {
      env: { ...options.environment, TWOFOLD_STOP_WITH_STDIN: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const running = new RunningProcess(child, options.logFile)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const first = await Promise.race([lines.next(), running.#ended.then(() => undefined)])
    if (first === undefined || first.done === true) throw endedEarly(options)
    child.stdout.resume()
    return { process: running, address: (JSON.parse(first.value) as { address: string }).address }
  }

  /** Starts a server that says nothing, and resolves when it takes connections at this port of 127.0.0.1. */
  static async startAt(port: number, options: SpawnOptions): Promise<RunningProcess> {
    // No stdin: rsync would take the pipe for the connection of its only client.
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
    const child = spawn(options.command, options.arguments, { env: options.environment, stdio })
    const running = new RunningProcess(child, options.logFile)
    child.stdout.resume()
    const deadline = performance.now() + listensWithinMs
    while (!(await takesConnections(port))) {
      if (child.exitCode !== null || child.signalCode !== null) throw endedEarly(options)
      if (performance.now() > deadline) {
        await running.end('SIGKILL')
        throw new Error(`${options.command} does not listen on port ${port}: see ${options.logFile}`)
      }
      await sleep(lookAgainMs)
    }
    return running
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Resolves when the process is gone for whatever reason, with its exit code or the signal that ended it. */
  get ended(): Promise<number | NodeJS.Signals> {
    return this.#ended
  }

  /** Sends a signal and resolves when the process is gone, with its exit code or the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.#child.kill(signal)
    return this.#ended
  }
}

function endedEarly({ arguments: args, logFile }: SpawnOptions): Error {
  return new Error(`${args.join(' ')} ended before it was ready: see ${logFile}`)
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (taken: boolean): void => {
      socket.destroy()
      resolve(taken)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}
