import type { BackupSummary } from '../client/index.ts'
import { formatBytes, formatCount, formatDuration, formatTime, plural } from '../core/human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import type { Output } from './output.ts'
import { safeText } from '../core/safe-text.ts'
import { describeDurability, durabilityRecord, statsRecord } from './snapshot-text.ts'

interface Telling {
  readonly output: Output
  readonly startedMs: number
  readonly nowMs: number
}

/** What a backup says at its end. */
export async function tellBackup(summary: BackupSummary, { output, startedMs, nowMs }: Telling): Promise<void> {
  const { snapshot } = summary
  await output.record({
    message_type: 'summary',
    ...(summary.unchanged === true ? { unchanged: true } : snapshot === undefined ? { dry_run: true } : {}),
    ...statsRecord(summary.stats),
    bytes_sent: summary.bytesSent,
    backup_start: jsonTimeMs(startedMs),
    backup_end: jsonTimeMs(nowMs),
    total_duration: summary.durationMs / 1000,
    ...(summary.parent === undefined ? {} : { parent: summary.parent }),
    ...(summary.resumedFromMs === undefined ? {} : { resumed_from: jsonTimeMs(summary.resumedFromMs) }),
    problems: summary.problems,
    packs: summary.packs.map(({ packId, nodes, lengthBytes }) => ({ pack_id: packId, length: lengthBytes, nodes })),
    ...(snapshot === undefined ? {} : { snapshot_id: snapshot.id, durability: durabilityRecord(snapshot.durability) }),
  })
  const dryRun = snapshot === undefined && summary.unchanged !== true
  await output.outcome(summaryLines(summary), { dryRun })
  if (summary.unchanged === true) return output.remark('nothing has changed since the parent: no snapshot was made')
  if (snapshot === undefined) return output.remark('dry run: nothing was saved')
  const { style } = output
  const { copies, copiesWanted } = snapshot.durability
  const durability = describeDurability(snapshot.durability, nowMs)
  const colour = copies < copiesWanted ? style.yellow : style.green
  await output.remark(`snapshot ${style.bold(snapshot.shortId)} saved: ${colour(durability)}`)
  if (copies < copiesWanted) await output.line('it has fewer copies than wanted: see "twofold nodes"')
}

function summaryLines(summary: BackupSummary): string[] {
  const { stats, parent, packs, problems, durationMs, snapshot, resumedFromMs } = summary
  const files = stats.filesNew + stats.filesChanged + stats.filesUnmodified
  const counts = [stats.filesNew, stats.filesChanged, stats.filesUnmodified].map((count) => formatCount(count))
  const duration = formatDuration(durationMs)
  const rate = formatBytes((stats.totalBytes * 1000) / Math.max(1, durationMs))
  const skipped = stats.skipped > 0 ? `, ${formatCount(stats.skipped)} sockets, devices and pipes skipped` : ''
  const dryRun = snapshot === undefined
  const without = resumedFromMs === undefined ? 'none, everything is read' : 'none'
  const packed = dryRun
    ? ''
    : ` (${formatBytes(stats.storedBytes)} stored per copy, in ${plural(packs.length, 'pack')})`
  return [
    `Parent:     ${parent === undefined ? without : safeText(parent.slice(0, 8))}`,
    ...(resumedFromMs === undefined
      ? []
      : [`Resumed:    from an interrupted backup, as of ${formatTime(resumedFromMs)}`]),
    `Files:      ${counts[0] ?? ''} new, ${counts[1] ?? ''} changed, ${counts[2] ?? ''} unmodified`,
    `Others:     ${plural(stats.directories, 'folder')}, ${plural(stats.symlinks, 'symlink')}${skipped}`,
    `Added:      ${formatBytes(stats.newBytes)}${packed}`,
    `Processed:  ${plural(files, 'file')}, ${formatBytes(stats.totalBytes)} in ${duration} (${rate}/s)`,
    ...(problems > 0 ? [`Problems:   ${plural(problems, 'file')} could not be read as they are; see above`] : []),
  ]
}
