import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Row } from './figures.ts'
import type { Series, SeriesContext } from './series.ts'
import { WatchedCluster } from './watched-cluster.ts'

const points = [10, 100, 300, 1000]
const sessions = 50
const senders = 2
const settleMs = 5000
const measureMs = 20_000
const program = fileURLToPath(new URL('nodes-sender.ts', import.meta.url))

interface Sent {
  readonly beats: number
  readonly failures: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** A process that is many nodes. */
class Sender {
  readonly #child: ChildProcessByStdio<null, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(args: readonly (string | number)[], signal: AbortSignal) {
    this.#child = spawn(process.execPath, [program, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      signal,
    })
    this.#child.on('error', () => undefined)
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const next = await this.#lines.next()
    if (next.done === true) throw new Error('a process of simulated nodes ended by itself')
    return next.value
  }

  reset(): void {
    this.#child.kill('SIGUSR2')
  }

  async end(): Promise<Sent> {
    this.#child.kill('SIGTERM')
    return JSON.parse(await this.line()) as Sent
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

async function measurePoint(nodes: number, context: SeriesContext): Promise<Row> {
  const { directory, signal } = context
  const watched = await WatchedCluster.start({ directory: join(directory, `nodes-${nodes}`), nodes: 0 })
  const each = Math.ceil(nodes / senders)
  const running = Array.from({ length: senders }, (_, at) => {
    const count = Math.min(each, nodes - at * each)
    return new Sender([watched.cluster.managerAddress, at * each, count, sessions / senders], signal)
  })
  try {
    for (const sender of running) await sender.line()
    await sleep(settleMs, undefined, { signal })
    for (const sender of running) sender.reset()
    const meter = await watched.meter()
    const start = performance.now()
    await sleep(measureMs, undefined, { signal })
    const seconds = (performance.now() - start) / 1000
    const { manager } = await meter.end()
    const sent = await Promise.all(running.map((sender) => sender.end()))
    const sum = (figure: (one: Sent) => number): number => sent.reduce((total, one) => total + figure(one), 0)
    return {
      x: nodes,
      figures: {
        cpuShare: (manager?.cpuSeconds ?? Number.NaN) / seconds,
        peakRssBytes: manager?.peakRssBytes,
        loopMsP99: manager?.loopDelay?.p99,
        loopMsMost: manager?.loopDelay?.most,
        beatsPerSecond: sum(({ beats }) => beats) / seconds,
        beatMsMedian: Math.max(...sent.map(({ p50Ms }) => p50Ms)),
        beatMsP99: Math.max(...sent.map(({ p99Ms }) => p99Ms)),
        failures: sum(({ failures }) => failures),
      },
    }
  } finally {
    for (const sender of running) sender.kill()
    await watched.stop()
  }
}

async function* measure(context: SeriesContext): AsyncGenerator<Row> {
  for (const nodes of points.filter((point) => point <= context.max)) {
    context.note(`${nodes} nodes that report every second, ${sessions} sessions`)
    yield await measurePoint(nodes, context)
  }
}

export const nodesSeries: Series = {
  name: 'nodes',
  description: `a manager with many nodes that report every second, and ${sessions} open sessions`,
  xTitle: 'nodes',
  columns: [
    { figure: 'cpuShare', title: 'manager, of a core', unit: 'share', atMost: 0.3 },
    { figure: 'peakRssBytes', title: 'its memory', unit: 'bytes' },
    { figure: 'loopMsP99', title: 'loop late, p99', unit: 'ms', atMost: 50 },
    { figure: 'loopMsMost', title: 'most', unit: 'ms' },
    { figure: 'beatsPerSecond', title: 'heartbeats', unit: 'per second' },
    { figure: 'beatMsMedian', title: 'each', unit: 'ms' },
    { figure: 'beatMsP99', title: 'p99', unit: 'ms' },
    { figure: 'failures', title: 'failed', unit: 'count', atMost: 0 },
  ],
  run: measure,
}
