import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Cluster } from '../cluster.ts'
import type { Figures, Row } from './figures.ts'
import { runTwofold } from './measured-backup.ts'
import type { Series, SeriesContext } from './series.ts'
import { writeLargeFile } from './sources.ts'
import { mostOfNodes, WatchedCluster } from './watched-cluster.ts'

const points = [5e8, 2e9, 1e10]
const nodes = 5
const pieceBytes = 250e6
/** Of the silence after which a node counts as lost: ten minutes by default, which are no part of what is measured. */
const timing = ['--suspect-after', '1s', '--dead-after', '5s']
const lost = 'n1'

interface NodeRecord {
  readonly name: string
  readonly used: number
  readonly packs: number
}

interface EventRecord {
  readonly kind: string
  readonly node?: string
  readonly after: string
}

async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  for (const bytes of points.filter((point) => point <= max)) {
    const place = join(directory, `repair-${bytes}`)
    const watched = await WatchedCluster.start({
      directory: join(place, 'cluster'),
      nodes,
      capacity: '1TB',
      managerOptions: timing,
    })
    try {
      note(`${bytes / 1e9} GB are stored twice on ${nodes} nodes`)
      await fill(watched, { bytes, place, signal })
      note(`${lost} is killed`)
      yield { x: bytes, figures: await loseOne(watched, signal) }
    } finally {
      await watched.stop()
      rmSync(place, { recursive: true, force: true })
    }
  }
}

/** What cannot be compressed, piece after piece, each removed once it is stored. */
async function fill(
  watched: WatchedCluster,
  { bytes, place, signal }: { readonly bytes: number; readonly place: string; readonly signal: AbortSignal },
): Promise<void> {
  for (let done = 0; done < bytes; done += pieceBytes) {
    const file = join(place, 'source', `piece-${done}`)
    writeLargeFile(file, Math.min(pieceBytes, bytes - done), `repair ${done}`)
    await runTwofold(watched, ['backup', file], signal)
    rmSync(file)
  }
}

/** Kills a node, and waits until everything has all its copies on the others. */
async function loseOne(watched: WatchedCluster, signal: AbortSignal): Promise<Figures> {
  const { cluster } = watched
  const [before = []] = await cluster.json<NodeRecord[]>(['nodes'])
  const { used = 0, packs = 0 } = before.find(({ name }) => name === lost) ?? {}
  const meter = await watched.meter(lost)
  const times = await untilRepaired(cluster, signal)
  const servers = await meter.end()
  const seconds = (times.repairedMs - times.deadMs) / 1000
  return {
    lostBytes: used,
    lostPacks: packs,
    seconds,
    bytesPerSecond: used / seconds,
    cpuSeconds: Object.values(servers).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    nodePeakBytes: mostOfNodes(servers, ({ peakRssBytes }) => peakRssBytes),
    managerPeakBytes: servers['manager']?.peakRssBytes,
  }
}

/** The manager tells of the events within a second; that all is well is asked for. */
async function untilRepaired(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<{ readonly deadMs: number; readonly repairedMs: number }> {
  const watch = cluster.spawn(['watch', '--json'])
  const stop = (): void => void watch.kill()
  signal.addEventListener('abort', stop)
  try {
    let deadMs: number | undefined
    await cluster.kill(lost)
    for await (const line of createInterface({ input: watch.stdout })) {
      const nowMs = performance.now()
      const { kind, node, after } = JSON.parse(line) as EventRecord
      if (kind === 'node' && node === lost && after === 'dead') deadMs = nowMs
      if (deadMs === undefined || kind !== 'repair' || after !== 'none') continue
      if (await isFull(cluster)) return { deadMs, repairedMs: nowMs }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
  signal.throwIfAborted()
  throw new Error('twofold watch ended before everything had its copies again')
}

async function isFull(cluster: Cluster): Promise<boolean> {
  const [status] = await cluster.json<{ packs_degraded: number; packs_unavailable: number }>(['status'])
  return status !== undefined && status.packs_degraded + status.packs_unavailable === 0
}

export const repairSeries: Series = {
  name: 'repair',
  description: `one of ${nodes} nodes is killed: from when it counts as lost until everything has two copies again`,
  xTitle: 'bytes',
  columns: [
    { figure: 'lostBytes', title: 'on the lost node', unit: 'bytes' },
    { figure: 'lostPacks', title: 'packs', unit: 'count' },
    { figure: 'seconds', title: 'to full redundancy', unit: 's' },
    { figure: 'bytesPerSecond', title: 'copied', unit: 'bytes per second' },
    { figure: 'cpuSeconds', title: 'CPU of all servers', unit: 's' },
    { figure: 'nodePeakBytes', title: 'memory: node', unit: 'bytes' },
    { figure: 'managerPeakBytes', title: 'manager', unit: 'bytes' },
  ],
  run: measure,
}
