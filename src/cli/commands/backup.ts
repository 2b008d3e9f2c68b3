import type { Command } from 'commander'
import { compressions, ignoreFileName } from '../../client/index.ts'
import type { BackupRequest, BackupSummary, Client, Compression } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import { readsAtOnceMax } from '../../core/request-limits.ts'
import { tellBackup } from '../backup-summary.ts'
import { collectExcludes, collectPaths } from '../backup-sources.ts'
import type { SourceOptions } from '../backup-sources.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp, collect, collectList } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { RunDisplay } from '../run-display.ts'
import { openSource } from '../source-threads.ts'
import { parseCount, parsePeriod, parseSize } from '../quantities.ts'
import { addRateOptions, toRates } from '../rate-options.ts'
import type { RateOptions } from '../rate-options.ts'
import { Setting } from '../setting.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions, SourceOptions, RateOptions {
  readonly compression?: Compression
  readonly readConcurrency?: number
  readonly host?: string
  readonly tag?: readonly string[]
  readonly oneFileSystem?: boolean
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly parent?: string
  readonly skipIfUnchanged?: boolean
  readonly checkpointInterval?: number
  readonly stdin?: boolean
  readonly stdinFilename: string
}

export function defineBackup(command: Command, cli: Cli): void {
  command.argument('[path...]', 'files and folders')
  addOptions(addClusterOptions(command, 'tell of every pack and its nodes; twice: of every file'))
  addHelp(command, {
    examples: [
      'twofold backup ~/documents',
      `twofold backup /home /etc --exclude '*.tmp' --exclude-caches --tag nightly`,
      'find . -newer mark -print0 | twofold backup --files-from-raw -',
      'pg_dump db | twofold backup --stdin --stdin-filename db.sql',
    ],
    notes: [
      'TWOFOLD_THREADS: with 1 the source is listed in the same thread as all else, with more in one of its own;',
      'unless it is set, the number of processors decides.',
      '',
      `A file ${ignoreFileName} says what to leave out of its folder, in the manner of .gitignore.`,
      '',
      'A backup that is interrupted keeps what it had finished: run it again and it goes on from there.',
    ],
    exitCodes: [0, 1, 3, 10, 11, 12, 13, 14, 15, 16, 130],
  })
  addAction<Options>(command, cli, async (run) => {
    const request = await toRequest(run)
    const connect = { ...toRates(run.options), compression: run.options.compression }
    await withClient(run, (client) => backup(client, run, request), connect)
  })
}

function addOptions(command: Command): void {
  addRateOptions(command)
    .option('-e, --exclude <pattern>', 'leave out what matches; may be repeated', collect)
    .option('--exclude-file <file>', 'a file with a pattern a line; may be repeated', collect)
    .option('--iexclude <pattern>', 'like --exclude, upper and lower case are the same', collect)
    .option('--exclude-larger-than <size>', 'leave out larger files, for example 2GiB', parseSize)
    .option(
      '--exclude-if-present <file>',
      'leave out what lies beside such a file; FILE:HEADER: that begins so',
      collect,
    )
    .option('--no-ignore-files', `save also what ${ignoreFileName} files say is to be left out`)
    .option('--exclude-caches', 'leave out the content of folders with a CACHEDIR.TAG')
    .option('-x, --one-file-system', 'do not cross into other file systems')
    .option('--files-from <file>', 'a file with a path a line, - for stdin; may be repeated', collect)
    .option('--files-from-raw <file>', 'the same with NUL between the paths', collect)
    .option('--tag <tag>', 'a tag for the snapshot; may be repeated', collectList)
    .addOption(new Setting('-H, --host <name>', `the host's name in the snapshot; this machine's unless given`))
    .option('-n, --dry-run', 'only say what would be saved')
    .option('-f, --force', 'read every file again, whatever the parent says')
    .option('--parent <snapshot>', 'compare with this snapshot instead of the newest of the same host and paths')
    .addOption(
      new Setting('--checkpoint-interval <time>', 'how often it saves how far it is; 5m, off for never', parsePeriod),
    )
    .option('--skip-if-unchanged', 'make no snapshot when nothing has changed since the parent')
    .addOption(
      new Setting('--read-concurrency <n>', 'files read at once, for slow disks and networks; 1 to 64', parseReads),
    )
    .addOption(new Setting('--compression <how>', `${compressions.join(', ')}; auto unless given`, parseCompression))
    .option('--stdin', 'save what comes from stdin as a file')
    .option('--stdin-filename <name>', 'its name', 'stdin')
}

/** @throws TwofoldError `invalid-argument` */
function parseReads(text: string): number {
  const count = parseCount(text, 1)
  if (count <= readsAtOnceMax) return count
  throw new TwofoldError('invalid-argument', `at most ${readsAtOnceMax} files are read at once, not ${count}`)
}

/** @throws TwofoldError `invalid-argument` */
function parseCompression(text: string): Compression {
  const known = compressions.find((name) => name === text.trim().toLowerCase())
  if (known !== undefined) return known
  throw new TwofoldError('invalid-argument', `"${text}" is no way to compress: use ${compressions.join(', ')}`)
}

async function toRequest({ cli, options, operands }: Run<Options>): Promise<BackupRequest> {
  const paths = await collectPaths(operands, options, cli.stdin)
  const stdin = options.stdin === true
  if (paths.length === 0 && !stdin) {
    throw new TwofoldError('invalid-argument', 'name what to back up: twofold backup PATH…; --help has the details')
  }
  if (stdin && [...(options.filesFrom ?? []), ...(options.filesFromRaw ?? [])].includes('-')) {
    throw new TwofoldError('invalid-argument', 'stdin cannot be both the content and the list of files')
  }
  const { patterns, excludes } = await collectExcludes(options)
  const { host, vault, tag: tags, oneFileSystem, dryRun, force, parent, checkpointInterval, skipIfUnchanged } = options
  const content = cli.stdin as AsyncIterable<Uint8Array>
  return {
    source: openSource(cli),
    paths,
    excludes,
    excludePatterns: patterns,
    ...{ host, vault, tags, oneFileSystem, dryRun, force, parent, checkpointIntervalMs: checkpointInterval },
    ...{ skipIfUnchanged, readConcurrency: options.readConcurrency },
    ...(stdin ? { stdin: { name: options.stdinFilename, content } } : {}),
  }
}

async function backup(client: Client, { cli, output, verbosity }: Run<Options>, request: BackupRequest): Promise<void> {
  const display = new RunDisplay(output, {
    verbosity,
    statusFields: ({ filesDone, bytesDone, bytesSent, errorCount, currentFiles }) => ({
      files_done: filesDone,
      bytes_done: bytesDone,
      bytes_sent: bytesSent,
      error_count: errorCount,
      current_files: currentFiles,
    }),
  })
  const startedMs = cli.clock.nowMs()
  const parent = request.parent === undefined ? undefined : await parentId(client, request.parent, { cli, request })
  let summary: BackupSummary
  try {
    const options = {
      signal: cli.signal,
      onEvent: display.show,
      onAsked: cli.onProgressAsked,
      fileEvents: display.showsFiles,
    }
    summary = await client.backup({ ...request, parent }, options)
  } finally {
    display.finish()
  }
  await tellBackup(summary, { output, startedMs, nowMs: cli.clock.nowMs() })
  if (isUnderReplicated(summary)) cli.setExitCode(15)
  else if (summary.problems > 0) cli.setExitCode(3)
}

/** Any way to name a snapshot is good for a parent, `latest` included. */
async function parentId(
  client: Client,
  reference: string,
  { cli, request }: { cli: Cli; request: BackupRequest },
): Promise<string> {
  const filter = request.vault === undefined ? {} : { vault: request.vault }
  return (await client.resolve(reference, filter, { signal: cli.signal })).id
}

function isUnderReplicated({ snapshot }: BackupSummary): boolean {
  return snapshot !== undefined && snapshot.durability.copies < snapshot.durability.copiesWanted
}
