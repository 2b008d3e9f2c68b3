import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandResult } from '../measure/measured-command.ts'
import { median } from '../measure/measurement.ts'
import type { Row } from './figures.ts'
import { runTwofold } from './measured-backup.ts'
import type { Series, SeriesContext } from './series.ts'
import { writeLargeFile } from './sources.ts'
import { WatchedCluster } from './watched-cluster.ts'

const nodes = ['n1', 'n2']
const files = 4
const fileBytes = 256 * 1024 * 1024
const runs = 5

/** Restores that take turns: with one of the nodes stopped, then from both. */
async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  const place = join(directory, 'readers')
  const watched = await WatchedCluster.start({ directory: join(place, 'cluster'), nodes: nodes.length })
  const results = new Map<number, CommandResult[]>()
  try {
    const source = join(place, 'source')
    let bytes = 0
    for (let n = 0; n < files; n++) bytes += writeLargeFile(join(source, `large${n}`), fileBytes, `readers ${n}`)
    await runTwofold(watched, ['backup', source], signal)
    for (let run = 0; run < runs; run++) {
      for (const readers of [1, 2].filter((point) => point <= max)) {
        note(`restore ${run + 1} of ${runs} from ${readers}`)
        const stopped = readers === 1 ? nodes[run % nodes.length] : undefined
        if (stopped !== undefined) await watched.cluster.end(stopped)
        const target = join(place, 'target')
        const result = await runTwofold(watched, ['restore', 'latest', '--target', target], signal)
        rmSync(target, { recursive: true })
        if (stopped !== undefined) await watched.cluster.startProcess(stopped)
        await watched.cluster.waitForNodes(nodes)
        results.set(readers, [...(results.get(readers) ?? []), result])
      }
    }
    const secondsOf = (readers: number): number[] => (results.get(readers) ?? []).map(({ seconds }) => seconds)
    for (const [readers, all] of results) {
      const seconds = secondsOf(readers)
      const each = median(seconds) ?? Number.NaN
      yield {
        x: readers,
        figures: {
          seconds: each,
          leastSeconds: Math.min(...seconds),
          mostSeconds: Math.max(...seconds),
          bytesPerSecond: bytes / each,
          ofOne: (median(secondsOf(1)) ?? Number.NaN) / each,
          clientCpuSeconds: median(all.map(({ usage }) => usage.cpuSeconds)),
        },
      }
    }
  } finally {
    await watched.stop()
  }
}

export const readersSeries: Series = {
  name: 'readers',
  description: 'full restores of four files of 256 MiB that cannot be compressed, from one node and from two',
  xTitle: 'nodes',
  columns: [
    { figure: 'seconds', title: 'wall', unit: 's' },
    { figure: 'leastSeconds', title: 'least', unit: 's' },
    { figure: 'mostSeconds', title: 'most', unit: 's' },
    { figure: 'bytesPerSecond', title: 'rate', unit: 'bytes per second' },
    { figure: 'ofOne', title: 'of one', unit: 'share' },
    { figure: 'clientCpuSeconds', title: 'CPU of client', unit: 's' },
  ],
  run: measure,
}
