import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import { absolutePath, argumentBytes } from '../argument-bytes.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { entryLine, entryRecord } from '../entry-text.ts'
import { safePath } from '../../core/safe-text.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { snapshotRecord } from '../snapshot-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends FilterOptions {
  readonly long?: boolean
  readonly recursive?: boolean
}

export function defineLs(command: Command, cli: Cli): void {
  command
    .argument('<snapshot[:folder]>', 'an id or "latest"')
    .argument('[path...]', 'only what lies directly in these folders; with --recursive also what is below')
  addFilterOptions(addClusterOptions(command))
    .option('-l, --long', 'show mode, owner, size and time')
    .option('--recursive', 'with paths: all that is below them')
  addHelp(command, {
    examples: ['twofold ls latest', 'twofold ls -l latest /etc', 'twofold ls 1a2b3c4d:/home/me --json'],
    exitCodes: [0, 1, 10, 12, 16, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => list(client, run)))
}

async function list(client: Client, { cli, output, options, operands }: Run<Options>): Promise<void> {
  const { signal } = cli
  const [reference = '', ...folders] = operands
  const filter = toFilter(options)
  const snapshot = await client.resolve(reference.split(':')[0] ?? '', filter, { signal })
  await output.record({ message_type: 'snapshot', struct_type: 'snapshot', ...snapshotRecord(snapshot) })
  const time = output.time(Number(snapshot.manifest.timeNs / 1_000_000n), cli.clock.nowMs())
  if (output.interactive) await output.remark(`snapshot ${snapshot.shortId} of ${time}:`)
  const paths = folders.map((folder) => absolutePath(argumentBytes(folder)))
  const recursive = folders.length === 0 || options.recursive === true
  const chosen = paths.length === 0 ? { recursive } : { recursive, paths }
  for await (const entry of client.list(reference, { ...chosen, filter }, { signal })) {
    await output.line(options.long === true ? entryLine(entry) : safePath(entry.path))
    if (output.json) await output.record({ message_type: 'node', struct_type: 'node', ...entryRecord(entry) })
  }
}
