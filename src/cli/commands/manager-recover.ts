import type { Command } from 'commander'
import { TwofoldError } from '../../core/errors.ts'
import { recoverFromNodes } from '../../manager/main.ts'
import type { RecoverySummary } from '../../manager/main.ts'
import { createLogger } from '../../system/logger.ts'
import { absoluteArgument } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addCommonOptions, addHelp, collectList } from '../command-setup.ts'
import type { CommonOptions, Run } from '../command-setup.ts'
import { formatCount, plural } from '../../core/human-format.ts'
import type { Output } from '../output.ts'
import { Setting } from '../setting.ts'

interface Options extends CommonOptions {
  readonly fromNodes?: boolean
  readonly data: string
  readonly listen: string
  readonly insecure?: boolean
  readonly without?: readonly string[]
  readonly logLevel?: string
}

export function defineRecover(manager: Command, cli: Cli): void {
  const command = manager.command('recover').description('make a lost or older catalogue again from the nodes')
  addCommonOptions(command)
    .option('--from-nodes', 'from what the nodes have: their copies of the log, and their packs')
    .addOption(new Setting('--data <folder>', 'where the catalogue is to be').default('twofold-manager'))
    .addOption(new Setting('--listen <host:port>', 'where the nodes look for their manager').default('127.0.0.1:7400'))
    .addOption(new Setting('--insecure', 'listen on other addresses than loopback although there is no TLS yet'))
    .option('--without <node>', 'go on without this node; may be repeated', collectList)
    .addOption(new Setting('--log-level <level>', 'debug, info, warn or error'))
  addHelp(command, {
    examples: ['twofold manager recover --from-nodes --data /srv/manager --listen 127.0.0.1:7400'],
    notes: [
      'Stop the manager first, and start it again afterwards. It waits until all nodes have reported. What was only on',
      'a node that it goes on without is missing; nothing is deleted before that node is back, or taken out for good',
      'with "twofold node remove". An older catalogue in the folder is kept beside the new one. Where two of the nodes',
      'that it waits for had the same name, it shows their ids: give the id of the one that is lost.',
    ],
    exitCodes: [0, 1, 11, 13, 16, 130],
  })
  addAction<Options>(command, cli, recover)
}

async function recover({ cli, output, options }: Run<Options>): Promise<void> {
  if (options.fromNodes !== true) {
    throw new TwofoldError('invalid-argument', 'say from what: --from-nodes')
  }
  const { data, listen, insecure = false, without = [], logLevel = 'warn' } = options
  const told: Promise<void>[] = []
  const summary = await recoverFromNodes({
    ...{ dataDirectory: absoluteArgument(data).toString(), listen, insecure, without },
    logger: createLogger({ level: logLevel, name: 'manager', destination: 'stderr' }),
    signal: cli.signal,
    onProgress: ({ reported, missing }) => void told.push(tellProgress(output, { listen, reported, missing })),
  })
  await Promise.all(told)
  await tellSummary(output, summary)
  if (summary.incomplete.length > 0) cli.setExitCode(16)
}

interface Progress {
  readonly listen: string
  readonly reported: readonly string[]
  readonly missing: readonly string[]
}

async function tellProgress(output: Output, { listen, reported, missing }: Progress): Promise<void> {
  await output.record({ message_type: 'progress', reported, missing })
  const waiting = missing.length === 0 ? `the nodes to come to ${listen}` : missing.join(', ')
  const there = reported.length === 0 ? '' : `${reported.join(', ')} reported; `
  await output.line(`${there}waiting for ${waiting}`)
}

async function tellSummary(output: Output, summary: RecoverySummary): Promise<void> {
  const { clusterId, epoch, reported, lost, packs, snapshots, files, surplus, incomplete, damaged, unknown } = summary
  await output.record({
    message_type: 'summary',
    ...{ cluster_id: clusterId, epoch, reported, lost, packs, snapshots, file_versions: files },
    ...{ surplus, incomplete, damaged, unknown_log_entries: unknown },
  })
  const short = (ids: readonly string[]): string => ids.map((id) => id.slice(0, 8)).join(', ')
  await output.lines([
    `The catalogue of cluster ${clusterId} is there again, from ${reported.join(', ')}.`,
    `Snapshots:    ${formatCount(snapshots)}, and ${plural(files, 'version')} of single files`,
    `Packs:        ${formatCount(packs)}`,
    ...(surplus.length === 0
      ? []
      : [`Surplus:      ${short(surplus)}: complete, though nobody was told that they are there`]),
    ...(incomplete.length === 0
      ? []
      : [`Incomplete:   ${short(incomplete)}: parts of them are on no node that reported`]),
    ...(lost.length === 0 ? [] : [`Without:      ${lost.join(', ')}: nothing is deleted until they are back`]),
    ...damaged.map((text) => `Damaged:      ${text}`),
    'Start the manager again now.',
  ])
}
