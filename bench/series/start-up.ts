import { join } from 'node:path'
import { launcher } from '../cluster.ts'
import { measureCommand } from '../measure/measured-command.ts'
import { median } from '../measure/measurement.ts'
import type { Row } from './figures.ts'
import type { Series, SeriesContext } from './series.ts'
import { WatchedCluster } from './watched-cluster.ts'

const runs = 20

async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  const count = Math.min(runs, max)
  note(`${count} starts of each`)
  const watched = await WatchedCluster.start({ directory: join(directory, 'start-up'), nodes: 1 })
  const { environment } = watched.cluster
  const commands = {
    nodeMs: { file: process.execPath, arguments: ['-e', '0'] },
    versionMs: { file: launcher, arguments: ['--version'], environment },
    helpMs: { file: launcher, arguments: ['--help'], environment },
    snapshotsMs: { file: launcher, arguments: ['snapshots'], environment },
  }
  const times: Record<string, number[]> = {}
  try {
    // In turns, so that what else goes on touches all alike.
    for (let run = 0; run < count; run++) {
      for (const [name, command] of Object.entries(commands)) {
        const { seconds } = await measureCommand(command, signal)
        ;(times[name] ??= []).push(seconds * 1000)
      }
    }
  } finally {
    await watched.stop()
  }
  const medians: Record<string, number | undefined> = {}
  for (const [name, values] of Object.entries(times)) medians[name] = median(values)
  const { nodeMs = NaN, versionMs = NaN } = medians
  yield { x: count, figures: { ...medians, versionShare: versionMs / nodeMs } }
}

export const startUpSeries: Series = {
  name: 'start-up',
  description: 'what a command costs that does next to nothing; medians',
  xTitle: 'runs',
  columns: [
    { figure: 'nodeMs', title: 'node -e 0', unit: 'ms' },
    { figure: 'versionMs', title: 'twofold --version', unit: 'ms' },
    { figure: 'versionShare', title: 'of node -e 0', unit: 'share', atMost: 1.5 },
    { figure: 'helpMs', title: 'twofold --help', unit: 'ms' },
    { figure: 'snapshotsMs', title: 'twofold snapshots', unit: 'ms' },
  ],
  run: measure,
}
