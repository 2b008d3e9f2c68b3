import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { plural } from '../../core/human-format.ts'
import { withClient } from '../with-client.ts'

export function defineUndelete(command: Command, cli: Cli): void {
  command.argument('<snapshot...>', 'ids, as "twofold snapshots --trash" lists them')
  addClusterOptions(command)
  addHelp(command, { examples: ['twofold undelete 3f2a9c10'], exitCodes: [0, 1, 10, 12, 13, 130] })
  addAction<ClusterOptions>(command, cli, (run) => withClient(run, (client) => undelete(client, run)))
}

async function undelete(client: Client, run: Run<ClusterOptions>): Promise<void> {
  const { operands, options, output, cli } = run
  const vault = options.vault ?? ''
  const filter = { vault, trash: true }
  const found = await Promise.all(operands.map((operand) => client.resolve(operand, filter, { signal: cli.signal })))
  const ids = [...new Set(found.map((snapshot) => snapshot.id))]
  await client.undelete({ vault, ids }, { signal: cli.signal })
  await output.record({ message_type: 'undelete', snapshots: ids })
  await output.remark(`brought back ${plural(ids.length, 'snapshot')}`)
}
