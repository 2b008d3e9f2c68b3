import type { Command } from 'commander'
import { allPages } from '../../client/index.ts'
import type { Client, FileVersionInfo } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, CommandHelp, Run } from '../command-setup.ts'
import { fileVersionRecord, tellFileVersions } from '../file-version-text.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

type FilesRun = Run<ClusterOptions>

const exitCodes: CommandHelp['exitCodes'] = [0, 1, 10, 12, 130]

export function defineFiles(command: Command, cli: Cli): void {
  const examples = subcommands.map(({ example }) => example)
  addHelp(command, { examples, exitCodes })
  for (const { usage, alias, summary, example, act } of subcommands) {
    const sub = addClusterOptions(command.command(usage).description(summary))
    if (alias !== undefined) sub.alias(alias)
    addHelp(sub, { examples: [example], exitCodes })
    addAction<ClusterOptions>(sub, cli, (run) => withClient(run, (client) => act(client, run)))
  }
}

interface Subcommand {
  readonly usage: string
  readonly alias?: string
  readonly summary: string
  readonly example: string
  readonly act: (client: Client, run: FilesRun) => Promise<void>
}

const subcommands: readonly Subcommand[] = [
  {
    usage: 'ls [prefix]',
    alias: 'list',
    summary: 'list the files whose names begin with the prefix',
    example: 'twofold files ls reports/',
    act: list,
  },
  {
    usage: 'history <name>',
    summary: 'list all versions of a file',
    example: 'twofold files history report.pdf',
    act: history,
  },
  {
    usage: 'rm <name>',
    alias: 'delete',
    summary: 'delete a file; its versions stay in its history',
    example: 'twofold files rm report.pdf',
    act: remove,
  },
]

async function list(client: Client, run: FilesRun): Promise<void> {
  const { vault } = run.options
  const request = { vault, prefix: run.operands[0] ?? '' }
  const { signal } = run.cli
  const versions = await gathered(allPages((page) => client.listFiles({ ...request, ...page }, { signal })))
  await show(versions, run)
}

async function history(client: Client, run: FilesRun): Promise<void> {
  const { vault } = run.options
  const name = run.operands[0] ?? ''
  const { signal } = run.cli
  const versions = await gathered(allPages((page) => client.fileHistory({ vault, name, ...page }, { signal })))
  if (versions.length === 0) throw new TwofoldError('not-found', `there never was a file "${name}"`)
  await show(versions, run)
}

async function remove(client: Client, { cli, output, options, operands }: FilesRun): Promise<void> {
  const request = { vault: options.vault, name: operands[0] ?? '' }
  const version = await client.deleteFile(request, { signal: cli.signal })
  await output.record({ message_type: 'summary', ...fileVersionRecord(version) })
  await output.remark(`${safeText(version.name)} is deleted; its versions stay in its history`)
}

async function show(versions: readonly FileVersionInfo[], run: FilesRun): Promise<void> {
  await run.output.record(versions.map(fileVersionRecord))
  await tellFileVersions(versions, run)
}

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
