import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import type { WatchedEvent } from '../../core/cluster-events.ts'
import type { Operation } from '../../core/model.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { eventRecord, eventText } from '../event-text.ts'
import { parseCount } from '../quantities.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly follow?: boolean
  readonly limit: number
}

export function defineEvents(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .option('-f, --follow', 'go on telling what happens, until it is interrupted')
    .option('--limit <n>', 'how many of the newest to begin with', (text) => parseCount(text), 20)
  addHelp(command, {
    examples: ['twofold events', 'twofold events --follow', 'twofold events --follow --limit 0 --json | jq .'],
    notes: [
      'What made a snapshot, and what people decided, is kept for good: "twofold history" has all of it. Of what made',
      'nothing, such as backups that found nothing new, it has the newest 10,000 of a kind. Nodes that come and go,',
      'copies of snapshots that become fewer or more, and repair are told only as they happen, with --follow or by',
      '"twofold watch".',
    ],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<Options>(command, cli, (run) => withClient(run, (client) => tellEvents(client, run)))
}

async function tellEvents(client: Client, run: Run<Options>): Promise<void> {
  const { options, cli } = run
  if (options.follow !== true) return void (await tellNewest(client, run))
  await untilInterrupted(cli, () => follow(client, run))
}

async function follow(client: Client, run: Run<Options>): Promise<void> {
  const { signal } = run.cli
  // It is watched before what happened is read: nothing falls between the two.
  const watched = client.watch({}, { signal })
  const first = await watched.next()
  const newest = await tellNewest(client, run)
  if (first.done !== true) await tell(first.value, newest, run)
  for await (const event of watched) await tell(event, newest, run)
}

/** What was done last, the oldest of it first. @returns the number of the newest operation */
async function tellNewest(client: Client, run: Run<Options>): Promise<number> {
  const { limit } = run.options
  const operations: Operation[] = []
  for await (const operation of client.history({ limit: Math.max(1, limit) }, { signal: run.cli.signal })) {
    operations.push(operation)
  }
  const newest = operations[0]?.number ?? 0
  const shown = limit === 0 ? [] : operations.toReversed()
  for (const operation of shown) {
    const event = { kind: 'operation', timeMs: operation.timeMs, operation } as const
    await tell({ event, resumeToken: '', gap: false }, 0, run)
  }
  return newest
}

/** @param after number of the newest operation that was told */
async function tell(watched: WatchedEvent, after: number, run: Run<Options>): Promise<void> {
  const { event, gap } = watched
  const { output } = run
  if (gap) await output.remark('(some events before this are not known any more)')
  if (event === undefined && !gap) return
  if (event?.kind === 'operation' && event.operation.number <= after) return
  await output.record(eventRecord(watched))
  if (event !== undefined) await output.line(eventText(event, run))
}
