import { bytesSeries } from './bytes.ts'
import { catalogueSeries } from './catalogue.ts'
import { clientsSeries } from './clients.ts'
import { filesSeries } from './files.ts'
import { nodesSeries } from './nodes.ts'
import { readersSeries } from './readers.ts'
import { repairSeries } from './repair.ts'
import type { Series } from './series.ts'
import { snapshotsSeries } from './snapshots.ts'
import { startUpSeries } from './start-up.ts'

export const allSeries: readonly Series[] = [
  catalogueSeries,
  nodesSeries,
  clientsSeries,
  filesSeries,
  bytesSeries,
  snapshotsSeries,
  readersSeries,
  startUpSeries,
  repairSeries,
]
