import type { Command } from 'commander'
import type { Operation } from '../../core/model.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { formatDuration, formatTime } from '../human-format.ts'
import { jsonTimeMs } from '../json-time.ts'
import { parseCount } from '../quantities.ts'
import { safeText } from '../safe-text.ts'
import { renderTable } from '../table.ts'
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
      await run.output.lines(operationTable(operations))
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

function operationTable(operations: readonly Operation[]): string[] {
  const titles = ['Number', 'Time', 'Kind', 'Result', 'Took', 'Who', 'What']
  return renderTable(
    titles.map((title) => (title === 'Number' || title === 'Took' ? { title, align: 'right' as const } : { title })),
    operations.map((operation) => [
      String(operation.number),
      formatTime(operation.timeMs),
      safeText(operation.kind),
      operation.result,
      formatDuration(operation.durationMs),
      safeText(operation.actor),
      safeText([operation.subject, operation.detail].filter((text) => text !== '').join(': ')),
    ]),
  )
}
