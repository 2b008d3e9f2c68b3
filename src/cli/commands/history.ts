import type { Command } from 'commander'
import type { Operation } from '../../core/model.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { formatDuration } from '../../core/human-format.ts'
import { jsonTimeMs } from '../json-time.ts'
import { parseCount } from '../quantities.ts'
import { safeText } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly kind?: string
  readonly limit: number
}

export function defineHistory(command: Command, cli: Cli): void {
  addClusterOptions(command)
    .option('--kind <kind>', 'only this kind, for example backup')
    .option('--limit <n>', 'how many of the newest', (text) => parseCount(text, 1), 50)
  addHelp(command, {
    examples: ['twofold history', 'twofold history --kind backup --limit 10', 'twofold history --json'],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<Options>(command, cli, (run) =>
    withClient(run, async (client) => {
      const { kind, limit } = run.options
      const operations: Operation[] = []
      const request = { limit, ...(kind === undefined ? {} : { kind }) }
      for await (const operation of client.history(request, { signal: cli.signal })) operations.push(operation)
      await run.output.record(operations.map(operationRecord))
      await tellOperations(operations, run)
    }),
  )
}

function operationRecord(operation: Operation): object {
  return {
    number: operation.number,
    kind: operation.kind,
    time: jsonTimeMs(operation.timeMs),
    actor: operation.actor,
    subject: operation.subject,
    result: operation.result,
    detail: operation.detail,
    snapshot_id: operation.snapshotId,
    duration: operation.durationMs / 1000,
  }
}

async function tellOperations(operations: readonly Operation[], { output, cli }: Run<Options>): Promise<void> {
  const nowMs = cli.clock.nowMs()
  const right = 'right' as const
  await output.table(
    [
      { title: 'Number', align: right, spare: 2 },
      { title: 'Time', spare: 1 },
      { title: 'Kind' },
      { title: 'Result' },
      { title: 'Took', align: right, spare: 4 },
      { title: 'Who', spare: 5 },
      { title: 'What', spare: 3 },
    ],
    operations.map((operation) => [
      String(operation.number),
      output.time(operation.timeMs, nowMs),
      safeText(operation.kind),
      operation.result,
      formatDuration(operation.durationMs),
      safeText(operation.actor),
      safeText([operation.subject, operation.detail].filter((text) => text !== '').join(': ')),
    ]),
  )
}
