import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median } from '../measure/measurement.ts'
import type { Row } from './figures.ts'
import { runTwofold } from './measured-backup.ts'
import type { Series, SeriesContext } from './series.ts'
import { writeSmallFiles } from './sources.ts'
import { WatchedCluster } from './watched-cluster.ts'

const points = [10, 100, 1000]
const files = 20
const runs = 5

async function medianSeconds(watched: WatchedCluster, args: readonly string[], signal: AbortSignal): Promise<number> {
  const seconds: number[] = []
  for (let run = 0; run < runs; run++) seconds.push((await runTwofold(watched, args, signal)).seconds)
  return median(seconds) ?? Number.NaN
}

async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  const source = join(directory, 'snapshots', 'source')
  mkdirSync(source, { recursive: true })
  writeSmallFiles(source, files, 'snapshots')
  const watched = await WatchedCluster.start({ directory: join(directory, 'snapshots', 'cluster') })
  let taken = 0
  try {
    for (const snapshots of points.filter((point) => point <= max)) {
      note(`${snapshots} snapshots`)
      for (; taken < snapshots; taken++) {
        writeFileSync(join(source, 'changing'), `day ${taken}`)
        await runTwofold(watched, ['backup', source], signal)
      }
      const listSeconds = await medianSeconds(watched, ['snapshots'], signal)
      const meter = await watched.meter()
      const backupSeconds = await medianSeconds(watched, ['backup', source], signal)
      taken += runs
      const { manager } = await meter.end()
      yield {
        x: snapshots,
        figures: { listSeconds, backupSeconds, managerCpuSeconds: (manager?.cpuSeconds ?? Number.NaN) / runs },
      }
    }
  } finally {
    await watched.stop()
  }
}

export const snapshotsSeries: Series = {
  name: 'snapshots',
  description: `a folder of ${files} files with many snapshots: to list them, and to back up when nothing changed`,
  xTitle: 'snapshots',
  columns: [
    { figure: 'listSeconds', title: 'twofold snapshots', unit: 's' },
    { figure: 'backupSeconds', title: 'twofold backup', unit: 's' },
    { figure: 'managerCpuSeconds', title: "the manager's CPU for it", unit: 's' },
  ],
  run: measure,
}
