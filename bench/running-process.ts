import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

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

/** A server in a process of its own, which stops when this process is gone in whatever way. */
export class RunningProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | NodeJS.Signals>

  private constructor(child: ChildProcess) {
    this.#child = child
    children.add(child)
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      children.delete(child)
      return (code ?? signal) as number | NodeJS.Signals
    })
  }

  /** Starts it and resolves with the address that it says it listens on. */
  static async start(options: SpawnOptions): Promise<{ process: RunningProcess; address: string }> {
    const child = spawn(options.command, options.arguments, {
      env: { ...options.environment, TWOFOLD_STOP_WITH_STDIN: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stderr.pipe(createWriteStream(options.logFile, { flags: 'a' }))
    const running = new RunningProcess(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const first = await Promise.race([lines.next(), running.#ended.then(() => undefined)])
    if (first === undefined || first.done === true) {
      throw new Error(`${options.arguments.join(' ')} ended before it was ready: see ${options.logFile}`)
    }
    child.stdout.resume()
    return { process: running, address: (JSON.parse(first.value) as { address: string }).address }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Sends a signal and resolves when the process is gone, with its exit code or the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.#child.kill(signal)
    return this.#ended
  }
}
