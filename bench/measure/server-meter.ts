import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoopDelays } from './loop-delays.ts'
import type { Usage } from './measurement.ts'
import { readCpuTicks, readPeakRssBytes, resetPeakRss, secondsOfTicks } from './process-usage.ts'

export interface MeterOptions {
  /** Where all of them are asked how late their event loops were. */
  readonly delays?: LoopDelays
}

/** What servers spend while something is measured. Each is one process that does its work itself. */
export class ServerMeter {
  readonly #pids: Readonly<Record<string, number>>
  readonly #delays: LoopDelays | undefined
  readonly #before: ReadonlyMap<number, number>

  private constructor(pids: Readonly<Record<string, number>>, delays: LoopDelays | undefined) {
    this.#pids = pids
    this.#delays = delays
    this.#before = new Map(Object.values(pids).map((pid) => [pid, readCpuTicks(pid).own]))
  }

  /** @param pids by the names that the servers have in a measurement */
  static async begin(pids: Readonly<Record<string, number>>, options: MeterOptions = {}): Promise<ServerMeter> {
    const { delays } = options
    await Promise.all(Object.values(pids).map(async (pid) => delays?.take(pid)))
    for (const pid of Object.values(pids)) resetPeakRss(pid)
    return new ServerMeter(pids, delays)
  }

  async end(): Promise<Record<string, Usage>> {
    const spent = Object.entries(this.#pids).map(([name, pid]) => {
      const cpuSeconds = secondsOfTicks(readCpuTicks(pid).own - (this.#before.get(pid) ?? 0))
      return { name, pid, usage: { cpuSeconds, peakRssBytes: readPeakRssBytes(pid) } }
    })
    const usages = spent.map(async ({ name, pid, usage }): Promise<[string, Usage]> => {
      const loopDelay = await this.#delays?.take(pid)
      return [name, loopDelay === undefined ? usage : { ...usage, loopDelay }]
    })
    return Object.fromEntries(await Promise.all(usages))
  }
}

const lookAgainMs = 5

/**
 * The processor time in seconds that a server and the processes that it started have used since it began. Resolves when
 * those are gone: only then the kernel counts them.
 */
export async function secondsWithChildren(pid: number, signal: AbortSignal): Promise<number> {
  while (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() !== '') {
    await sleep(lookAgainMs, undefined, { signal })
  }
  const { own, children } = readCpuTicks(pid)
  return secondsOfTicks(own + children)
}
