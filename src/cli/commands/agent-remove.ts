import type { Command } from 'commander'
import { safeText } from '../../core/safe-text.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { agentRecord } from '../schedule-text.ts'
import { withClient } from '../with-client.ts'

export const agentRemoveExample = 'twofold agent remove web1'

/** Adds `remove` to the command that runs an agent. */
export function addAgentRemove(command: Command, cli: Cli): void {
  const sub = addClusterOptions(command.command('remove <agent>').description('forget one that is not used any more'))
  addHelp(sub, {
    examples: [agentRemoveExample],
    notes: [
      'It must have been stopped, and have no schedules. Its backups stay, "twofold fetch" has them by its name as',
      'before, and the serial numbers go on should it ever come back.',
    ],
    exitCodes: [0, 1, 10, 12, 13, 130],
  })
  addAction<ClusterOptions>(sub, cli, (run) =>
    withClient(run, async (client) => {
      const agent = await client.schedules.removeAgent(run.operands[0] ?? '', { signal: cli.signal })
      await run.output.record(agentRecord(agent))
      await run.output.remark(`Agent ${safeText(agent.name)} is forgotten; its backups stay.`)
    }),
  )
}
