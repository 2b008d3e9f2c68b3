import { join } from 'node:path'
import type { Row } from './figures.ts'
import { measureBackup, memoryColumns } from './measured-backup.ts'
import type { Series, SeriesContext } from './series.ts'
import { readAll, writeSmallFiles } from './sources.ts'
import { WatchedCluster } from './watched-cluster.ts'

const points = [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000]

async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  for (const files of points.filter((point) => point <= max)) {
    note(`${files} small files`)
    // What was used stays until the end: right after many files were deleted, creating some is slow.
    const source = join(directory, `files-${files}`, 'source')
    writeSmallFiles(source, files, `files ${files}`)
    const watched = await WatchedCluster.start({ directory: join(directory, `files-${files}`, 'cluster') })
    try {
      // What does not fit beside what was written last is read from the disk the first time, and grows with that.
      readAll(source)
      const first = await measureBackup(watched, source, signal)
      const again = await measureBackup(watched, source, signal)
      yield {
        x: files,
        figures: {
          ...first,
          microsecondsPerFile: ((first['seconds'] ?? Number.NaN) * 1e6) / files,
          againSeconds: again['seconds'],
          againPeakBytes: again['clientPeakBytes'],
        },
      }
    } finally {
      await watched.stop()
    }
  }
}

export const filesSeries: Series = {
  name: 'files',
  description: 'the first backup of files of 64 to 1,000 bytes, and one in which nothing changed',
  xTitle: 'files',
  columns: [
    { figure: 'seconds', title: 'first', unit: 's' },
    { figure: 'microsecondsPerFile', title: 'per file', unit: 'µs' },
    { figure: 'clientCpuSeconds', title: 'CPU of client', unit: 's' },
    ...memoryColumns,
    { figure: 'againSeconds', title: 'unchanged', unit: 's' },
    { figure: 'againPeakBytes', title: 'its client', unit: 'bytes', atMost: 250e6 },
  ],
  run: measure,
}
