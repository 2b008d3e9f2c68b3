import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'

/** What changes a file or a directory, or makes a change durable. */
export const fileChangingCalls = [
  ...['openat', 'mkdir', 'mkdirat', 'rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat', 'rmdir'],
  ...['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'ftruncate', 'fallocate', 'copy_file_range', 'fchmod'],
  ...['fsync', 'fdatasync', 'sync_file_range'],
] as const

/** A process writes files from its main thread (SQLite does) and from its pool, which is told to have one thread. */
export const threads = ['main', 'pool'] as const
export type ThreadRole = (typeof threads)[number]

/** With this in its environment all files that a process writes asynchronously are written in one thread, in order. */
export const oneThread = { UV_THREADPOOL_SIZE: '1' } as const

/** The n-th call of this name in this thread, counted from when somebody began to watch it. */
export interface CrashPoint {
  readonly thread: ThreadRole
  readonly call: string
  readonly number: number
}

/** Why no process can be killed at a system call here; undefined when it can. */
export function whyNoStrace(): string | undefined {
  try {
    execFileSync('strace', ['-qq', '-e', 'trace=none', 'true'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'there is no strace here: apt-get install strace' : 'strace may not trace here'
  }
}

export interface WatchOptions {
  readonly pid: number
  readonly thread: ThreadRole
  /** Where the calls are written. */
  readonly logFile: string
  /** The thread is killed, and its process with it, when it enters this call, which does not take place. */
  readonly killAt?: CrashPoint
}

/** A thread whose system calls are watched. */
export class WatchedThread {
  readonly #tracer: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #options: WatchOptions

  private constructor(options: WatchOptions, tracer: ChildProcess) {
    this.#options = options
    this.#tracer = tracer
    this.#ended = once(tracer, 'exit')
  }

  /** Resolves when every call from now on is seen. */
  static async attach(options: WatchOptions): Promise<WatchedThread> {
    const { pid, thread, logFile, killAt } = options
    const inject = killAt === undefined ? [] : ['-e', `inject=${killAt.call}:signal=SIGKILL:when=${killAt.number}`]
    const calls = killAt === undefined ? fileChangingCalls.join(',') : killAt.call
    const args = ['-y', '-s', '0', '-e', `trace=${calls}`, ...inject, '-o', logFile, '-p', String(tidOf(pid, thread))]
    const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const watched = new WatchedThread(options, tracer)
    let said = ''
    for await (const piece of tracer.stderr.iterator({ destroyOnReturn: false })) {
      said += String(piece)
      if (/Process \d+ attached/.test(said)) {
        tracer.stderr.resume()
        return watched
      }
    }
    throw new Error(`strace cannot attach to ${pid}: ${said}`)
  }

  /** Lets the thread go. */
  async detach(): Promise<void> {
    this.#tracer.kill('SIGTERM')
    await this.#ended
  }

  /** All calls so far that changed something below this directory. */
  changesBelow(directory: string): CrashPoint[] {
    const { thread } = this.#options
    const numbers = new Map<string, number>()
    return this.#lines().flatMap((line) => {
      const call = /^(\w+)\(/.exec(line)?.[1]
      if (call === undefined) return []
      const number = (numbers.get(call) ?? 0) + 1
      numbers.set(call, number)
      const changes = line.includes(`${directory}/`) && (call !== 'openat' || /O_CREAT|O_TRUNC/.test(line))
      return changes ? [{ thread, call, number }] : []
    })
  }

  /** The call at which the process was killed; undefined when it was not. */
  killedAt(): string | undefined {
    const lines = this.#lines()
    if (!lines.some((line) => line.includes('killed by SIGKILL'))) return undefined
    return lines.findLast((line) => /^\w+\(/.test(line))
  }

  #lines(): string[] {
    return fs.readFileSync(this.#options.logFile, 'utf8').split('\n')
  }
}

function tidOf(pid: number, thread: ThreadRole): number {
  if (thread === 'main') return pid
  const tasks = fs.readdirSync(`/proc/${pid}/task`)
  const pool = tasks.filter((tid) =>
    fs.readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').startsWith('libuv-worker'),
  )
  if (pool.length !== 1) throw new Error(`process ${pid} has ${pool.length} threads in its pool, not 1`)
  return Number(pool[0])
}
