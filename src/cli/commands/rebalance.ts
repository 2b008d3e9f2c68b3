import type { Command } from 'commander'
import type { RebalanceOutlook } from '../../core/node-admin.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { formatBytes } from '../../core/human-format.ts'
import { shareText } from '../node-admin-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly dryRun?: boolean
  readonly stop?: boolean
}

export function defineRebalance(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .option('--dry-run', 'only say what would happen')
    .option('--stop', 'end it; what is on its way arrives')
  addHelp(command, {
    examples: ['twofold rebalance --dry-run', 'twofold rebalance', 'twofold rebalance --stop'],
    notes: ['It goes on in the background until every node is within 5 % of the mean; "twofold tasks" shows how far.'],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<Options>(command, cli, (run) =>
    withClient(run, async (client) => {
      const { dryRun = false, stop = false } = run.options
      const outlook = await client.rebalance({ dryRun, stop, signal: cli.signal })
      await run.output.record({ message_type: 'rebalance', dry_run: dryRun, ...outlook })
      const told = stop && !dryRun ? ['Rebalancing has ended.'] : rebalanceLines(outlook)
      await run.output.outcome(told, { dryRun })
    }),
  )
}

function rebalanceLines({ running, bytes, from, to }: RebalanceOutlook): string[] {
  if (bytes === 0) return ['All nodes are near enough to the mean share.']
  const verb = running ? 'are to be moved' : 'would be moved'
  return [`About ${formatBytes(bytes)} ${verb}.`, `From: ${shareText(from)}`, `To:   ${shareText(to)}`]
}
