import { join } from 'node:path'
import { median } from '../measure/measurement.ts'
import type { Row } from './figures.ts'
import { memoryColumns, runTwofold } from './measured-backup.ts'
import type { Series, SeriesContext } from './series.ts'
import { writeLargeFile, writeSmallFiles } from './sources.ts'
import { mostOfNodes, WatchedCluster } from './watched-cluster.ts'

const points = [1, 4, 8, 32]
/** A client alone is measured so often; its figures are those of the run in the middle. */
const runsAlone = 3
const largeBytes = 20e6
const smallFiles = 500

interface Source {
  readonly path: string
  readonly bytes: number
}

/** Large and small files that nobody else has. */
function writeSource(path: string): Source {
  const bytes = writeLargeFile(join(path, 'large'), largeBytes, path) + writeSmallFiles(path, smallFiles, path)
  return { path, bytes }
}

async function measureTogether(watched: WatchedCluster, sources: readonly Source[], signal: AbortSignal): Promise<Row> {
  const meter = await watched.meter()
  const start = performance.now()
  const results = await Promise.all(sources.map(({ path }) => runTwofold(watched, ['backup', path], signal)))
  const wallSeconds = (performance.now() - start) / 1000
  const servers = await meter.end()
  const seconds = results.map((result) => result.seconds)
  const bytes = sources.reduce((sum, source) => sum + source.bytes, 0)
  return {
    x: sources.length,
    figures: {
      bytesPerSecond: bytes / wallSeconds,
      medianSeconds: median(seconds),
      slowestToMedian: Math.max(...seconds) / (median(seconds) ?? Number.NaN),
      clientPeakBytes: Math.max(...results.map(({ usage }) => usage.peakRssBytes ?? 0)),
      managerPeakBytes: servers['manager']?.peakRssBytes,
      nodePeakBytes: mostOfNodes(servers, ({ peakRssBytes }) => peakRssBytes),
      managerLoopMsP99: servers['manager']?.loopDelay?.p99,
      nodeLoopMsP99: mostOfNodes(servers, ({ loopDelay }) => loopDelay?.p99),
    },
  }
}

async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  const place = join(directory, 'clients')
  const watched = await WatchedCluster.start({ directory: join(place, 'cluster'), capacity: '100GB' })
  try {
    // The first backup of all is spared its look-ups, so it is not measured.
    await runTwofold(watched, ['backup', writeSource(join(place, 'warm-up')).path], signal)
    let alone: number | undefined
    for (const clients of points.filter((point) => point <= max)) {
      note(`${clients} clients at once`)
      const runs: Row[] = []
      for (let run = 0; run < (clients === 1 ? runsAlone : 1); run++) {
        const names = Array.from({ length: clients }, (_, n) => join(place, `run${run}-of${clients}`, `client${n}`))
        runs.push(await measureTogether(watched, names.map(writeSource), signal))
      }
      const rate = ({ figures }: Row): number => figures['bytesPerSecond'] ?? Number.NaN
      const row = runs.sort((a, b) => rate(a) - rate(b))[Math.floor(runs.length / 2)] as Row
      alone ??= rate(row)
      yield { x: row.x, figures: { ...row.figures, ofOne: rate(row) / alone } }
    }
  } finally {
    await watched.stop()
  }
}

export const clientsSeries: Series = {
  name: 'clients',
  description: 'clients that back up at once, each a file of 20 MB and 500 small ones, to three nodes',
  xTitle: 'clients',
  columns: [
    { figure: 'bytesPerSecond', title: 'all together', unit: 'bytes per second' },
    { figure: 'ofOne', title: 'of one alone', unit: 'share', atLeast: 0.9 },
    { figure: 'medianSeconds', title: 'median', unit: 's' },
    { figure: 'slowestToMedian', title: 'slowest ÷ it', unit: 'count', atMost: 2 },
    ...memoryColumns,
    { figure: 'managerLoopMsP99', title: 'loop late, p99: manager', unit: 'ms', atMost: 50 },
    { figure: 'nodeLoopMsP99', title: 'node', unit: 'ms', atMost: 50 },
  ],
  run: measure,
}
