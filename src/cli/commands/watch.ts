import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { eventRecord, eventText } from '../event-text.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly since?: string
}

export function defineWatch(command: Command, cli: Cli): void {
  addClusterOptions(command).option('--since <token>', 'go on after an event, by its "resume_token" in the JSON')
  addHelp(command, {
    examples: ['twofold watch', 'twofold watch --json | jq .'],
    notes: [
      'It tells what happens until it is interrupted: nodes that come and go, backups, what is forgotten, copies of',
      'snapshots that become fewer or more, damage, repair. It goes on after a restart of the manager.',
    ],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => untilInterrupted(cli, () => tell(client, run))))
}

async function tell(client: Client, run: Run<Options>): Promise<void> {
  const { output, options, cli } = run
  for await (const watched of client.watch({ resumeToken: options.since }, { signal: cli.signal })) {
    if (watched.gap) await output.remark('(some events before this are not known any more)')
    if (watched.event === undefined && !watched.gap) continue
    await output.record(eventRecord(watched))
    if (watched.event !== undefined) await output.line(eventText(watched.event, run))
  }
}
