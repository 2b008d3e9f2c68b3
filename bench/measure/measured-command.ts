import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Usage } from './measurement.ts'
import { readCpuTicks, readPeakRssBytes, secondsOfTicks } from './process-usage.ts'

export interface Command {
  readonly file: string
  readonly arguments: readonly string[]
  readonly environment?: NodeJS.ProcessEnv
}

export interface CommandResult {
  readonly seconds: number
  readonly usage: Usage
  readonly stdout: string
}

/** Those whose processes must not outlive this one. */
const running = new Set<ChildProcess>()

process.on('exit', () => running.forEach(killGroup))

/** The peak is the kernel's own; what a sample can miss is what it grew by in the last moments of the process. */
const sampleMs = 50

/**
 * Runs a command to its end. Its processor time is what the kernel adds to this process's account of its children when
 * one is waited for, so no other child may end meanwhile. The peak is the command's own, without its children's.
 *
 * @throws when it does not exit with 0, with what it said; when the signal is aborted, after it is gone.
 */
export async function measureCommand(command: Command, signal: AbortSignal): Promise<CommandResult> {
  signal.throwIfAborted()
  const before = readCpuTicks('self').children
  const start = performance.now()
  // A process group of its own, so that it can be stopped with all that it starts.
  const child = spawn(command.file, command.arguments, {
    detached: true,
    env: command.environment ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = (): void => killGroup(child)
  running.add(child)
  signal.addEventListener('abort', stop)
  const peak = new PeakSampler(child.pid ?? 0)
  try {
    const output = Promise.all([text(child.stdout), text(child.stderr)])
    const [code] = (await once(child, 'exit')) as [number | null]
    const seconds = (performance.now() - start) / 1000
    const cpuSeconds = secondsOfTicks(readCpuTicks('self').children - before)
    const [stdout, stderr] = await output
    signal.throwIfAborted()
    if (code !== 0) {
      throw new Error(`${command.file} ${command.arguments.join(' ')} exited with ${code}: ${stderr}${stdout}`)
    }
    return { seconds, usage: { cpuSeconds, peakRssBytes: peak.bytes }, stdout }
  } finally {
    peak.stop()
    running.delete(child)
    signal.removeEventListener('abort', stop)
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

class PeakSampler {
  readonly #timer: NodeJS.Timeout
  #bytes: number | undefined

  constructor(pid: number) {
    this.#timer = setInterval(() => (this.#bytes = readPeakRssBytes(pid) ?? this.#bytes), sampleMs)
  }

  get bytes(): number | undefined {
    return this.#bytes
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
