import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { plural } from '../../core/human-format.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly reason?: string
}

const exitCodes = [0, 1, 10, 12, 13, 130] as const

export function definePin(command: Command, cli: Cli): void {
  command.argument('<snapshot...>', 'ids, or "latest"')
  addClusterOptions(command).option('--reason <text>', 'why, for whoever wants to forget it')
  addHelp(command, { examples: ['twofold pin 3f2a9c10 --reason "before the migration"'], exitCodes: [...exitCodes] })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => setPin(client, run, true)))
}

export function defineUnpin(command: Command, cli: Cli): void {
  command.argument('<snapshot...>', 'ids, or "latest"')
  addClusterOptions(command)
  addHelp(command, { examples: ['twofold unpin 3f2a9c10'], exitCodes: [...exitCodes] })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => setPin(client, run, false)))
}

async function setPin(client: Client, run: Run<Options>, pinned: boolean): Promise<void> {
  const { operands, options, output, cli } = run
  const { vault = '', reason = '' } = options
  const found = await Promise.all(operands.map((operand) => client.resolve(operand, { vault }, { signal: cli.signal })))
  const ids = [...new Set(found.map((snapshot) => snapshot.id))]
  await client.pin({ vault, ids, pinned, reason }, { signal: cli.signal })
  await output.record({ message_type: pinned ? 'pin' : 'unpin', snapshots: ids })
  await output.remark(`${pinned ? 'pinned' : 'unpinned'} ${plural(ids.length, 'snapshot')}`)
}
