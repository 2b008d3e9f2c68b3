import type { Command } from 'commander'
import type { Client } from '../../client/index.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions, Run } from '../command-setup.ts'
import { formatBytes, formatCount } from '../../core/human-format.ts'
import { safePath } from '../../core/safe-text.ts'
import { withClient } from '../with-client.ts'

export function defineDiff(command: Command, cli: Cli): void {
  command.argument('<older[:folder]>', 'an id or "latest"').argument('<newer[:folder]>', 'an id or "latest"')
  addClusterOptions(command)
  addHelp(command, {
    examples: ['twofold diff 1a2b3c4d latest', 'twofold diff 1a2b3c4d:/etc 5e6f7a8b:/etc'],
    notes: ['Marks: + added, - removed, M content, U metadata, T type changed'],
    exitCodes: [0, 1, 10, 12, 16, 130],
  })
  addAction<ClusterOptions>(command, cli, (run) => withClient(run, (client) => diff(client, run)))
}

async function diff(client: Client, { cli, output, operands }: Run<ClusterOptions>): Promise<void> {
  const [older = '', newer = ''] = operands
  const counts = { '+': 0, '-': 0, M: 0, U: 0, T: 0 }
  const bytes = { added: 0, removed: 0 }
  for await (const { path, change, before, after } of client.diff(older, newer, { signal: cli.signal })) {
    counts[change] += 1
    if (change !== 'U') {
      bytes.removed += before?.size ?? 0
      bytes.added += after?.size ?? 0
    }
    await output.line(`${change}    ${safePath(path)}`)
    const text = Buffer.from(path).toString('utf8')
    await output.record({ message_type: 'change', path: text, modifier: change })
  }
  await output.record({
    message_type: 'statistics',
    source_snapshot: older,
    target_snapshot: newer,
    changed_files: counts.M,
    changed_metadata: counts.U,
    changed_types: counts.T,
    added: { items: counts['+'], bytes: bytes.added },
    removed: { items: counts['-'], bytes: bytes.removed },
  })
  const [added, removed, changed] = [counts['+'], counts['-'], counts.M].map(formatCount)
  await output.remark(`\n${added ?? ''} added, ${removed ?? ''} removed, ${changed ?? ''} changed`)
  await output.remark(`${formatBytes(bytes.added)} came, ${formatBytes(bytes.removed)} went`)
}
