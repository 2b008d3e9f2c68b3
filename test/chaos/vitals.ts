import { readFileSync, readdirSync } from 'node:fs'
import { readPeakRssBytes } from '../../bench/measure/process-usage.ts'
import type { Stage } from './stage.ts'

const sampleEveryMs = 500
/**
 * A node has at most 136 MiB of data in flight (limits.ts), twice until it is collected, on top of some 90 MiB for the
 * program; the manager has no data, but a catalogue that is walked.
 */
export const rssBytesMost = 360 * 1024 ** 2
/** At rest: files of its own, and connections that are kept for their next use, to and from everybody. */
const descriptorsAtRestMost = 80
/** In the middle of it, with clients and nodes that come, go, and leave dead connections behind. */
const descriptorsMost = 400

/** Watches how much manager and nodes use, all the time. */
export class Vitals {
  readonly #stage: Stage
  readonly #timer: NodeJS.Timeout
  readonly #descriptors = new Map<string, number>()
  readonly #rss = new Map<string, number>()

  constructor(stage: Stage) {
    this.#stage = stage
    this.#timer = setInterval(() => this.#sample(), sampleEveryMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** What anybody had too much of since the beginning. */
  excesses(): string[] {
    this.#sample()
    return [
      ...over(this.#descriptors, descriptorsMost, 'file descriptors'),
      ...over(this.#rss, rssBytesMost, 'bytes of memory'),
    ]
  }

  /** What anybody keeps open now that nobody wants anything. */
  atRest(): string[] {
    const now = new Map(this.#stage.servers.map((name) => [name, this.#open(name)]))
    return over(now, descriptorsAtRestMost, 'file descriptors at rest')
  }

  /** `n1 97 MB, 41 fds` */
  peaks(): string[] {
    return [...this.#rss].map(
      ([name, bytes]) => `${name} ${Math.round(bytes / 1e6)} MB, ${this.#descriptors.get(name) ?? 0} fds`,
    )
  }

  #sample(): void {
    for (const name of this.#stage.servers) {
      raise(this.#descriptors, name, this.#open(name))
      raise(this.#rss, name, readPeakRssBytes(this.#stage.cluster.pid(name)) ?? 0)
    }
  }

  #open(name: string): number {
    const pid = this.#stage.cluster.pid(name)
    if (pid === 0) return 0
    try {
      return readdirSync(`/proc/${pid}/fd`).length
    } catch (error) {
      // It was killed in between.
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0
      throw error
    }
  }
}

/** What a process is called that a log line names. */
export function crashLines(logFile: string): string[] {
  const lines = readFileSync(logFile, 'utf8').split('\n')
  // Logs are JSON; whatever else a process says is its last words.
  return lines.filter((line) => line !== '' && !line.startsWith('{'))
}

function raise(most: Map<string, number>, name: string, value: number): void {
  most.set(name, Math.max(most.get(name) ?? 0, value))
}

function over(values: ReadonlyMap<string, number>, most: number, what: string): string[] {
  return [...values].flatMap(([name, value]) => (value > most ? [`${name} has ${value} ${what}, above ${most}`] : []))
}
