import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { isPipelineFigures } from '../../client/index.ts'
import type { BenchmarkReport } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import { benchmarkBytesMax } from '../../core/limits.ts'
import { openDisk } from '../../system/disk.ts'
import { openUncachedReader } from '../../system/uncached-reader.ts'
import { benchmarkLines, benchmarkRecord } from '../benchmark-text.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { formatBytes } from '../../core/human-format.ts'
import { parseSize } from '../quantities.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly directory: string
  readonly seconds: number
  readonly size: number
  readonly local?: boolean
}

const secondsMax = 60
const sizeDefault = 64e6

export function defineBenchmark(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .option('--directory <dir>', 'whose disk to measure', tmpdir())
    .option('--seconds <n>', 'how long each measurement may take', parseSeconds, 1)
    .option(
      '--size <size>',
      `how much to write at most; up to ${formatBytes(benchmarkBytesMax)}`,
      parseWritten,
      sizeDefault,
    )
    .option('--local', 'measure this machine only; needs no cluster')
  addHelp(command, {
    examples: [
      'twofold benchmark',
      'twofold benchmark --directory /srv --seconds 5 --size 500MB',
      'twofold benchmark --local --json',
    ],
    notes: [
      'The pipeline sends packs of random data the whole way of a backup: they are fsynced on all their nodes',
      'before they count. Then the manager refuses them, and the nodes remove them within seconds. What stays',
      'is an abandoned backup in the history. The file in the directory is removed, also after Ctrl-C.',
      '',
      'A node that does not answer is told in its row and is no failure; "complete" in the JSON says whether',
      'everything could be measured.',
    ],
    exitCodes: [0, 1, 10, 11, 12, 13, 14, 130],
  })
  addAction<Options>(command, cli, benchmark)
}

async function benchmark(run: Run<Options>): Promise<void> {
  const { cli, output, options } = run
  const directory = resolve(options.directory)
  await requireDirectory(directory)
  const disk = await openDisk(directory)
  const { seconds, size: bytesMax, vault, local = false } = options
  let report: BenchmarkReport
  try {
    report = await withClient(run, (client) => {
      const onStage = (what: string): void => output.status(`measuring ${what} …`)
      const openUncached = (name: string, pieceBytes: number): ReturnType<typeof openUncachedReader> =>
        openUncachedReader(join(directory, name), pieceBytes)
      const request = { disk, openUncached, seconds, bytesMax, local, vault }
      return client.benchmark(request, { signal: cli.signal, onStage })
    })
  } finally {
    output.clearStatus()
  }
  await output.record(benchmarkRecord(report, { directory, seconds }))
  await output.lines(benchmarkLines(report, directory))
  tellFailure(report, run)
}

/** The rest was measured, and is shown; only then it matters that no backup would work now. */
function tellFailure({ cluster }: BenchmarkReport, { cli, output }: Run<Options>): void {
  if (cluster === undefined || isPipelineFigures(cluster.pipeline)) return
  const { code, message } = cluster.pipeline
  const text = `the pipeline could not be measured: ${message}`
  output.problem(safeText(text), { message_type: 'error', error: { message }, during: 'pipeline' })
  cli.setExitCode(exitCodeOf[code])
}

/** A mistyped name must not become a directory. */
async function requireDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined)
  if (found?.isDirectory() === true) return
  throw new TwofoldError('invalid-argument', `${directory} is no directory; --directory names the one to measure`)
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0 && seconds <= secondsMax) return seconds
  throw new TwofoldError('invalid-argument', `"${text}" is no number of seconds from above 0 to ${secondsMax}`)
}

function parseWritten(text: string): number {
  const bytes = parseSize(text)
  if (bytes >= 1 && bytes <= benchmarkBytesMax) return bytes
  throw new TwofoldError('invalid-argument', `--size must be from 1 byte to ${formatBytes(benchmarkBytesMax)}`)
}
