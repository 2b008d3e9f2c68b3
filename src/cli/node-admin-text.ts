import type { ByteShare, NodeOutlook, Task } from '../core/node-admin.ts'
import { formatBytes, formatCount, plural } from '../core/human-format.ts'
import { safeText } from '../core/safe-text.ts'
import { renderTable } from './table.ts'
import type { TableLayout } from './table.ts'

export function outlookRecord(outlook: NodeOutlook, dryRun: boolean): object {
  return {
    message_type: 'node',
    dry_run: dryRun,
    name: outlook.node,
    state: outlook.state,
    changed: outlook.changed,
    packs: outlook.packs,
    bytes: outlook.bytes,
    targets: outlook.targets,
    last_copies: outlook.lastCopies,
    short: outlook.short,
    snapshots: outlook.snapshots,
    snapshot_ids: outlook.snapshotIds,
  }
}

/** `n1 2.00 GiB, n2 1.00 GiB` */
export function shareText(shares: readonly ByteShare[]): string {
  return shares.map(({ node, bytes }) => `${safeText(node)} ${formatBytes(bytes)}`).join(', ')
}

/** What would go with a node, for the lines of a preview. */
export function lossLines(outlook: NodeOutlook): string[] {
  if (outlook.short === 0) return ['Every pack has enough copies without it.']
  const lines = [`${plural(outlook.short, 'pack')} would have too few copies without it.`]
  if (outlook.lastCopies > 0) lines.push(`${plural(outlook.lastCopies, 'pack')} would have none: their files are lost.`)
  const shown = outlook.snapshotIds.map((id) => `  ${id.slice(0, 8)}`)
  const more = outlook.snapshots - shown.length
  lines.push(`${plural(outlook.snapshots, 'snapshot')} ${outlook.snapshots === 1 ? 'needs' : 'need'} one of them:`)
  return [...lines, ...shown, ...(more > 0 ? [`  and ${formatCount(more)} more`] : [])]
}

export function taskRecord(task: Task): object {
  return {
    message_type: 'task',
    kind: task.kind,
    subject: task.subject,
    packs_done: task.packsDone,
    packs_total: task.packsTotal,
    bytes_done: task.bytesDone,
    bytes_total: task.bytesTotal,
    bytes_per_second: task.bytesPerSecond,
    running: task.running,
    waits_for: task.waitsFor,
  }
}

export function taskTable(tasks: readonly Task[], layout?: TableLayout): string[] {
  const right = 'right' as const
  return renderTable(
    [
      { title: 'Task' },
      { title: 'Node' },
      { title: 'Packs', align: right, spare: 2 },
      { title: 'Bytes', align: right },
      { title: 'Rate', align: right, spare: 3 },
      { title: 'Running', align: right, spare: 4 },
      { title: 'Waits for', spare: 1 },
    ],
    tasks.map((task) => [
      task.kind,
      safeText(task.subject),
      `${formatCount(task.packsDone)} of ${formatCount(task.packsTotal)}`,
      `${formatBytes(task.bytesDone)} of ${formatBytes(task.bytesTotal)}`,
      `${formatBytes(task.bytesPerSecond)}/s`,
      formatCount(task.running),
      safeText(task.waitsFor),
    ]),
    layout,
  )
}
