import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { launcher } from '../cluster.ts'
import type { Figures, Row } from './figures.ts'
import type { Series, SeriesContext } from './series.ts'

const run = promisify(execFile)
const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const points = [1_000_000, 3_000_000, 10_000_000]
const chunksPerSnapshot = 10_000

/**
 * The options that the launcher gives to a manager, so that memory is as there.
 * @throws when they cannot be found in it
 */
export function managerOptions(): string[] {
  const text = readFileSync(launcher, 'utf8')
  return ['early', 'late'].flatMap((name) => {
    const options = new RegExp(`^${name}='([^']+)'$`, 'm').exec(text)?.[1]
    if (options === undefined) throw new Error(`${launcher} no longer says which options a manager gets: ${name}='…'`)
    return options.split(' ')
  })
}

async function* measure({ directory, max, signal, note }: SeriesContext): AsyncGenerator<Row> {
  const path = join(directory, 'catalogue.db')
  for (const chunks of points.map((point) => Math.min(point, max))) {
    note(`filling a catalogue up to ${chunks} chunks`)
    const fill = [program('catalogue-fill.ts'), path, String(chunks), String(Math.ceil(chunks / chunksPerSnapshot))]
    await run(process.execPath, fill, { signal })
    // What was filled without durability is not to be written out in the middle of a measurement.
    await run('sync', { signal })
    note('measuring it')
    const probe = [...managerOptions(), program('catalogue-probe.ts'), path, String(chunks)]
    const { stdout } = await run(process.execPath, probe, { signal })
    yield { x: chunks, figures: JSON.parse(stdout) as Figures }
    if (chunks === max) return
  }
}

export const catalogueSeries: Series = {
  name: 'catalogue',
  description: "the manager's catalogue in one process: look-ups, commits, memory",
  xTitle: 'chunks',
  onPaper: 100_000_000,
  columns: [
    { figure: 'lookupIdsPerSecond', title: 'look-ups', unit: 'per second', atLeast: 200_000 },
    { figure: 'coldIdsPerSecond', title: 'after a start', unit: 'per second' },
    { figure: 'findIdsPerSecond', title: 'table alone', unit: 'per second' },
    { figure: 'commitMsMedian', title: 'commit', unit: 'ms', atMost: 10 },
    { figure: 'commitMsP99', title: 'p99', unit: 'ms' },
    { figure: 'statusMs', title: 'status', unit: 'ms' },
    { figure: 'statusAgainMs', title: 'again', unit: 'ms' },
    { figure: 'statusLoopMsMost', title: 'blocks for', unit: 'ms', atMost: 50 },
    { figure: 'openMs', title: 'open', unit: 'ms' },
    { figure: 'upkeepMs', title: 'upkeep', unit: 'ms' },
    { figure: 'upkeepMsMost', title: 'its longest', unit: 'ms' },
    { figure: 'rssPeakBytes', title: 'peak memory', unit: 'bytes', atMost: 300e6 },
    { figure: 'fileBytes', title: 'file', unit: 'bytes' },
  ],
  run: measure,
}
