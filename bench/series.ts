/** `make bench-series`: how cost grows. See README.md; `node bench/series.ts --help` lists the options. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { remove } from './discarded.ts'
import { describeMachine } from './measure/machine.ts'
import { allSeries } from './series/all-series.ts'
import type { Row } from './series/figures.ts'
import { plotsOf } from './series/series-plots.ts'
import type { Series } from './series/series.ts'
import { seriesLines } from './series/table.ts'

interface Options {
  readonly series: readonly Series[]
  readonly max: number
  readonly json?: string
  readonly plot?: string
}

function parseSeries(text: string): Series[] {
  return text.split(',').map((name) => {
    const known = allSeries.find((series) => series.name === name)
    if (known === undefined) throw new InvalidArgumentError(`There is ${allSeries.map((one) => one.name).join(', ')}.`)
    return known
  })
}

function parseMax(text: string): number {
  const max = Number(text)
  if (!(max >= 1)) throw new InvalidArgumentError('It must be a number from 1 on.')
  return max
}

function readOptions(): Options {
  return new Command('series')
    .description('Measures how the cost of something grows with something, on this machine.')
    .requiredOption('--series <names>', `of ${allSeries.map(({ name }) => name).join(', ')}`, parseSeries)
    .option('--max <number>', 'leave out the points above this one', parseMax, Infinity)
    .option('--json <file>', 'write everything as JSON')
    .option('--plot <directory>', 'write pictures')
    .parse()
    .opts<Options>()
}

function linesOf({ name, description, xTitle, columns, onPaper }: Series, rows: readonly Row[]): string[] {
  return ['', `${name}: ${description}`, '', ...seriesLines(xTitle, columns, rows, onPaper)]
}

async function main(): Promise<void> {
  const { series: chosen, max, json, plot } = readOptions()
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'twofold-series-')))
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
  const machine = describeMachine(directory)
  const say = (...lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)
  const note = (text: string): void => void process.stderr.write(`${text}\n`)
  say(
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}, load ${machine.load.toFixed(2)}`,
  )
  const results: { series: string; xTitle: string; rows: Row[] }[] = []
  try {
    for (const series of chosen) {
      const rows: Row[] = []
      results.push({ series: series.name, xTitle: series.xTitle, rows })
      for await (const row of series.run({ directory, max, signal: stopping.signal, note })) rows.push(row)
      say(...linesOf(series, rows))
      if (plot === undefined) continue
      mkdirSync(plot, { recursive: true })
      for (const { file, svg } of plotsOf(series, rows)) writeFileSync(join(plot, file), svg)
    }
  } finally {
    if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`)
    remove(directory)
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`series: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
