import { Option } from 'commander'
import type { Command } from 'commander'
import { TargetDisk } from '../../client/index.ts'
import type { Client, OverwriteMode, RestoreSummary } from '../../client/index.ts'
import { systemRandom } from '../../system/random.ts'
import { absoluteArgument } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp, collect } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../../core/human-format.ts'
import type { Output } from '../output.ts'
import { parseCount } from '../quantities.ts'
import { addRateOptions, toRates } from '../rate-options.ts'
import type { RateOptions } from '../rate-options.ts'
import { RunDisplay } from '../run-display.ts'
import { safeText } from '../../core/safe-text.ts'
import { Setting } from '../setting.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { withClient } from '../with-client.ts'

interface Options extends FilterOptions, RateOptions {
  readonly target: string
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly overwrite: OverwriteMode
  readonly delete?: boolean
  readonly dryRun?: boolean
  readonly verify?: boolean
  readonly writeThreads?: number
}

const overwriteModes: readonly OverwriteMode[] = ['always', 'if-changed', 'if-newer', 'never']

export function defineRestore(command: Command, cli: Cli): void {
  command.argument('<snapshot[:folder]>', 'an id or "latest"')
  addRateOptions(addFilterOptions(addClusterOptions(command, 'tell of every file; twice: log what is done')))
    .requiredOption('-t, --target <folder>', 'where to; the absolute source path is made again below it')
    .option('-i, --include <pattern>', 'only what matches; may be repeated', collect)
    .option('-e, --exclude <pattern>', 'not what matches; may be repeated', collect)
    .addOption(
      new Option('--overwrite <when>', 'whether to replace files that are there')
        .choices(overwriteModes)
        .default('always'),
    )
    .option('--delete', 'delete in the target what the snapshot does not have, where it has everything')
    .option('-n, --dry-run', 'only say what would be done')
    .option('--verify', 'read back what was written and compare it')
    .addOption(
      new Setting('--write-threads <n>', 'threads that write files; as many as pay here unless given', (text) =>
        parseCount(text),
      ),
    )
  addHelp(command, {
    examples: [
      'twofold restore latest --target /tmp/restored',
      'twofold restore 1a2b3c4d:/etc --target /etc --include nginx --overwrite if-changed',
      'twofold restore latest --host web1 --target /srv/web1 --verify',
    ],
    notes: [
      'A restore that was interrupted goes on when the same one is run again:',
      'what it had finished is not fetched again. Of a file that is there and differs only the parts that differ are',
      'fetched. With --delete, what the backup was told to leave out stays, and so does what lies beside its paths.',
    ],
    exitCodes: [0, 1, 10, 12, 14, 16, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => restore(client, run), toRates(run.options)))
}

async function restore(client: Client, run: Run<Options>): Promise<void> {
  const { cli, output, options, operands } = run
  const display = new RunDisplay(output, {
    verbosity: run.verbosity > 0 ? 2 : 0,
    statusFields: ({ filesDone, bytesDone }) => ({ files_restored: filesDone, bytes_restored: bytesDone }),
  })
  const { include: includes, exclude: excludes, overwrite, dryRun, verify, writeThreads } = options
  const { clock } = cli
  let summary: RestoreSummary
  try {
    summary = await client.restore(
      {
        reference: operands[0] ?? '',
        filter: toFilter(options),
        target: new TargetDisk(absoluteArgument(options.target), {
          random: systemRandom,
          clock,
          threads: writeThreads,
        }),
        ...{ includes, excludes, overwrite, dryRun, verify, deleteOthers: options.delete },
      },
      { signal: cli.signal, onEvent: display.show, onAsked: cli.onProgressAsked, fileEvents: display.showsFiles },
    )
  } finally {
    display.finish()
  }
  await tell(summary, output, options)
  if (summary.damaged > 0) cli.setExitCode(16)
  else if (summary.unreachable > 0) cli.setExitCode(10)
  else if (summary.problems > 0) cli.setExitCode(1)
}

async function tell(summary: RestoreSummary, output: Output, options: Options): Promise<void> {
  const { filesRestored, filesSkipped, totalBytes, bytesRestored, durationMs, problems, damaged, unreachable } = summary
  await output.record({
    message_type: 'summary',
    seconds_elapsed: durationMs / 1000,
    total_files: filesRestored + filesSkipped,
    files_restored: filesRestored,
    files_skipped: filesSkipped,
    files_resumed: summary.filesResumed,
    dirs_restored: summary.directories,
    symlinks_restored: summary.symlinks,
    hard_links: summary.hardLinks,
    files_verified: summary.filesVerified,
    total_bytes: totalBytes,
    bytes_restored: bytesRestored,
    bytes_skipped: totalBytes - bytesRestored,
    bytes_reused: summary.bytesReused,
    bytes_moved: summary.bytesMoved,
    deleted: summary.deleted,
    problems,
    damaged,
    unreachable,
    copies_reported: summary.copiesReported,
    ...(options.dryRun === true ? { dry_run: true } : {}),
  })
  const rate = formatBytes((bytesRestored * 1000) / Math.max(1, durationMs))
  const others = `${plural(summary.directories, 'folder')}, ${plural(summary.symlinks, 'symlink')}`
  const verb = options.dryRun === true ? 'would restore' : 'restored'
  await output.remark(
    `${verb} ${plural(filesRestored, 'file')}, ${others}, ${formatBytes(bytesRestored)} ` +
      `in ${formatDuration(durationMs)} (${rate}/s) to ${safeText(options.target)}`,
  )
  if (summary.bytesReused > 0) {
    const reused = `${formatBytes(summary.bytesReused)} of it were in place already`
    await output.remark(`${reused}; ${formatBytes(summary.bytesMoved)} came from the nodes`)
  }
  if (summary.deleted > 0) {
    const gone = options.dryRun === true ? 'would be deleted' : 'deleted'
    await output.remark(`${plural(summary.deleted, 'thing')} ${gone} that the snapshot does not have`)
  }
  const { filesResumed } = summary
  if (filesResumed > 0)
    await output.remark(`${plural(filesResumed, 'file')} taken over from the restore before, which was interrupted`)
  const left = filesSkipped - filesResumed
  if (left > 0) await output.remark(`${plural(left, 'file')} left as ${left === 1 ? 'it was' : 'they were'}`)
  if (options.verify === true)
    await output.remark(`${formatCount(summary.filesVerified)} files read back and found equal`)
  const { red } = output.style
  if (summary.copiesReported > 0) {
    const copies = plural(summary.copiesReported, 'bad copy', 'bad copies')
    await output.remark(`${copies} met on the way ${summary.copiesReported === 1 ? 'is' : 'are'} checked and replaced`)
  }
  if (damaged > 0) {
    await output.line(red(`${plural(damaged, 'file')} could not be read from any copy`))
    await output.line('"twofold check" lists what else is hurt, in all snapshots')
  }
  if (unreachable > 0) await output.line(red(`${plural(unreachable, 'file')} out of reach: see "twofold nodes"`))
  const rest = problems - damaged - unreachable
  if (rest > 0) await output.line(red(`${plural(rest, 'problem')}; see above`))
}
