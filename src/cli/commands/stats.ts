import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { formatBytes, formatCount } from '../../core/human-format.ts'
import { packRecords, tellPacks } from '../pack-list.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { withClient } from '../with-client.ts'

interface Options extends FilterOptions {
  readonly packs?: boolean
}

export function defineStats(command: Command, cli: Cli): void {
  command.argument('[snapshot]', 'an id or "latest"; all snapshots unless given')
  addFilterOptions(addClusterOptions(command)).option('--packs', 'also list the packs and the nodes that have them')
  addHelp(command, {
    examples: ['twofold stats', 'twofold stats latest --packs', 'twofold stats --host web1 --json'],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => stats(client, run)))
}

async function stats(client: Client, run: Run<Options>): Promise<void> {
  const { cli, output, options, operands } = run
  const { signal } = cli
  const filter = toFilter(options)
  const reference = operands[0]
  const info = await client.stats(reference, filter, { signal })
  const wantsPacks = options.packs === true
  const id = wantsPacks ? (await client.resolve(reference ?? 'latest', filter, { signal })).id : undefined
  await output.record({
    total_size: info.restoreBytes,
    total_file_count: info.files,
    total_dir_count: info.directories,
    total_symlink_count: info.symlinks,
    snapshots_count: info.snapshots,
    packs_count: info.packs,
    packs_size: info.packBytes,
    stored_size: info.storedBytes,
    ...(id === undefined || !output.json ? {} : { packs: await packRecords(client, id, signal) }),
  })
  const others = `folders ${formatCount(info.directories)}, links ${formatCount(info.symlinks)}`
  await output.lines([
    `Snapshots:       ${formatCount(info.snapshots)}`,
    `Files:           ${formatCount(info.files)}, ${others}`,
    `Restore size:    ${formatBytes(info.restoreBytes)}`,
    `Stored:          ${formatBytes(info.packBytes)} in ${formatCount(info.packs)} packs`,
    `On all nodes:    ${formatBytes(info.storedBytes)}`,
  ])
  if (id === undefined || output.json) return
  await output.remark()
  await tellPacks(client, run, id)
}
