import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { agentRecord, agentTable } from '../schedule-text.ts'
import { withClient } from '../with-client.ts'

export function defineAgents(command: Command, cli: Cli): void {
  addClusterOptions(command)
  addHelp(command, {
    examples: ['twofold agents', 'twofold agents --json'],
    notes: [
      'Those that ever registered, and those that schedules wait for. "twofold agent remove" forgets one that is not',
      'used any more.',
    ],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<ClusterOptions>(command, cli, (run) =>
    withClient(run, async (client) => {
      const agents = await client.schedules.agents({ signal: cli.signal })
      await run.output.record(agents.map(agentRecord))
      const none = ['There are no agents; "twofold agent" runs one.']
      await run.output.lines(agents.length === 0 ? none : agentTable(agents, cli.clock.nowMs(), run.output.layout))
    }),
  )
}
