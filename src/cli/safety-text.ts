import { copiesNow } from '../core/durability-text.ts'
import type { SnapshotSafety } from '../core/model.ts'
import { formatAgo, formatCount, plural } from '../core/human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import { durabilityRecord } from './snapshot-text.ts'

/** How safe the backups are, in fields whose names stay. */
export function safetyRecord(safety: SnapshotSafety): Record<string, unknown> {
  return {
    snapshots_full: safety.full,
    snapshots_degraded: safety.degraded,
    snapshots_lost: safety.lost,
    failure_domains: safety.failureDomains,
    proven_at: safety.provenAtMs === 0 ? null : jsonTimeMs(safety.provenAtMs),
    snapshots_endangered: safety.endangered.map(({ snapshotId, durability }) => {
      return { id: snapshotId, short_id: snapshotId.slice(0, 8), durability: durabilityRecord(durability) }
    }),
  }
}

/** Each snapshot with too few copies, unless there are very many, and one line for all others. */
export function safetyLines(safety: SnapshotSafety, nowMs: number): string[] {
  const { full, degraded, lost, endangered } = safety
  if (full + degraded + lost === 0) return []
  const parts = [
    full > 0 ? `${formatCount(full)} with all copies` : '',
    degraded > 0 ? `${formatCount(degraded)} with too few` : '',
    lost > 0 ? `${formatCount(lost)} with data lost` : '',
  ]
  const domains = plural(safety.failureDomains, 'failure domain')
  const proven = formatAgo(safety.provenAtMs, nowMs)
  const more = degraded + lost - endangered.length
  return [
    `Copies:       ${parts.filter((part) => part !== '').join(', ')}; on ${domains}, proven ${proven}`,
    ...endangered.map(({ snapshotId, durability }) => {
      const ago = formatAgo(durability.provenAtMs, nowMs)
      return `  ${snapshotId.slice(0, 8)}    ${copiesNow(durability)}, proven ${ago}`
    }),
    ...(more > 0 ? [`  and ${plural(more, 'other')}; "twofold snapshots" lists them`] : []),
  ]
}
