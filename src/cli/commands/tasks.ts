import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { taskRecord, taskTable } from '../node-admin-text.ts'
import { withClient } from '../with-client.ts'

export function defineTasks(command: Command, cli: Cli): void {
  addClusterOptions(command)
  addHelp(command, {
    examples: ['twofold tasks', 'twofold tasks --json'],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<ClusterOptions>(command, cli, (run) =>
    withClient(run, async (client) => {
      const tasks = await client.tasks({ signal: cli.signal })
      await run.output.record(tasks.map(taskRecord))
      if (tasks.length === 0) await run.output.remark('Nothing is being done in the background.')
      else await run.output.lines(taskTable(tasks, run.output.layout))
    }),
  )
}
