import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from './figures.ts'
import { measureBackup, memoryColumns } from './measured-backup.ts'
import type { Series, SeriesContext } from './series.ts'
import { writeSparseFile } from './sources.ts'
import { WatchedCluster } from './watched-cluster.ts'

const points = [1e9, 5e9, 20e9]

async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  for (const bytes of points.filter((point) => point <= max)) {
    note(`a sparse file of ${bytes / 1e9} GB`)
    const place = join(directory, `bytes-${bytes}`)
    const file = join(place, 'source', 'sparse')
    writeSparseFile(file, bytes, `bytes ${bytes}`)
    const watched = await WatchedCluster.start({ directory: join(place, 'cluster') })
    try {
      const figures = await measureBackup(watched, file, signal)
      yield { x: bytes, figures: { ...figures, bytesPerSecond: bytes / (figures['seconds'] ?? Number.NaN) } }
    } finally {
      await watched.stop()
      rmSync(place, { recursive: true, force: true })
    }
  }
}

export const bytesSeries: Series = {
  name: 'bytes',
  description: 'the first backup of one sparse file, a hundredth of which is random',
  xTitle: 'bytes',
  columns: [
    { figure: 'seconds', title: 'first', unit: 's' },
    { figure: 'bytesPerSecond', title: 'of its length', unit: 'bytes per second' },
    { figure: 'clientCpuSeconds', title: 'CPU of client', unit: 's' },
    ...memoryColumns,
  ],
  run: measure,
}
