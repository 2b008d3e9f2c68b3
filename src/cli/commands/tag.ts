import type { Command } from 'commander'
import type { Client, SnapshotInfo } from '../../client/index.ts'
import { TwofoldError } from '../../core/errors.ts'
import { adminSnapshotsMax } from '../../core/limits.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp, collect, collectList } from '../command-setup.ts'
import type { Run } from '../command-setup.ts'
import { plural } from '../../core/human-format.ts'
import { addFilterOptions, toFilter } from '../snapshot-filter.ts'
import type { FilterOptions } from '../snapshot-filter.ts'
import { withClient } from '../with-client.ts'

interface Options extends FilterOptions {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly set?: readonly string[]
}

export function defineTag(command: Command, cli: Cli): void {
  command.argument('[snapshot...]', 'ids, or "latest"; all that --host, --tag and --path choose unless given')
  addFilterOptions(addClusterOptions(command))
    .option('--add <tag>', 'a tag that they get; may be repeated', collectList)
    .option('--remove <tag>', 'a tag that they lose; may be repeated', collectList)
    .option('--set <tag>', 'their only tag from now on, "" for none; may be repeated', collect)
  addHelp(command, {
    examples: [
      'twofold tag latest --add before-migration',
      'twofold tag --host web1 --tag nightly --remove nightly --add daily',
      'twofold tag 3f2a9c10 --set ""',
    ],
    notes: ['The ids of the snapshots stay. "twofold forget --keep-tag" keeps what has a tag.'],
    exitCodes: [0, 1, 10, 12, 13, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => tag(client, run)))
}

async function tag(client: Client, run: Run<Options>): Promise<void> {
  const { options, output, cli } = run
  const change = toChange(options)
  const found = await chosen(client, run)
  const ids = [...new Set(found.map(({ id }) => id))]
  for (let start = 0; start < ids.length; start += adminSnapshotsMax) {
    const batch = ids.slice(start, start + adminSnapshotsMax)
    await client.tag({ vault: options.vault, ids: batch, ...change }, { signal: cli.signal })
  }
  await output.record({ message_type: 'tag', snapshots: ids, ...change })
  await output.remark(`tagged ${plural(ids.length, 'snapshot')}`)
}

function toChange({ add = [], remove = [], set }: Options): { add: string[]; remove: string[]; clear: boolean } {
  if (set === undefined) {
    if (add.length + remove.length > 0) return { add: [...add], remove: [...remove], clear: false }
    throw new TwofoldError('invalid-argument', 'say what to change: --add, --remove or --set')
  }
  if (add.length + remove.length > 0) {
    throw new TwofoldError('invalid-argument', '--set says all tags: it cannot be given with --add or --remove')
  }
  return { add: set.flatMap((text) => text.split(',')).filter((item) => item !== ''), remove: [], clear: true }
}

async function chosen(client: Client, { operands, options, cli: { signal } }: Run<Options>): Promise<SnapshotInfo[]> {
  const filter = toFilter(options)
  if (operands.length > 0) return Promise.all(operands.map((operand) => client.resolve(operand, filter, { signal })))
  if (options.host === undefined && options.tag === undefined && options.path === undefined) {
    throw new TwofoldError('invalid-argument', 'which snapshots? Give ids, "latest", or --host, --tag or --path')
  }
  const snapshots: SnapshotInfo[] = []
  for await (const snapshot of client.snapshots(filter, { signal })) snapshots.push(snapshot)
  return snapshots
}
