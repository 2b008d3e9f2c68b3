import type { Command } from 'commander'
import type { Client, FileVersionInfo } from '../../client/index.ts'
import type { Page } from '../../core/messages.ts'
import { TwofoldError } from '../../core/errors.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, CommandHelp, Run } from '../command-setup.ts'
import { fileVersionRecord, fileVersionTable } from '../file-version-text.ts'
import { safeText } from '../safe-text.ts'
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
  const versions = await all((pageToken) => client.listFiles({ ...request, pageToken }, { signal }))
  await show(versions, run)
}

async function history(client: Client, run: FilesRun): Promise<void> {
  const { vault } = run.options
  const name = run.operands[0] ?? ''
  const { signal } = run.cli
  const versions = await all((pageToken) => client.fileHistory({ vault, name, pageToken }, { signal }))
  if (versions.length === 0) throw new TwofoldError('not-found', `there never was a file "${name}"`)
  await show(versions, run)
}

async function remove(client: Client, { cli, output, options, operands }: FilesRun): Promise<void> {
  const request = { vault: options.vault, name: operands[0] ?? '' }
  const version = await client.deleteFile(request, { signal: cli.signal })
  await output.record({ message_type: 'summary', ...fileVersionRecord(version) })
  await output.line(`${safeText(version.name)} is deleted; its versions stay in its history`)
}

async function show(versions: readonly FileVersionInfo[], { output }: FilesRun): Promise<void> {
  await output.record(versions.map(fileVersionRecord))
  await output.lines(fileVersionTable(versions))
}

async function all(next: (pageToken: string) => Promise<Page<FileVersionInfo>>): Promise<FileVersionInfo[]> {
  const items: FileVersionInfo[] = []
  let token = ''
  do {
    const page = await next(token)
    items.push(...page.items)
    token = page.nextPageToken
  } while (token !== '')
  return items
}
