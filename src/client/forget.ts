import { asBuffer } from '../core/ids.ts'
import { applyRetention } from '../core/retention.ts'
import type { RetentionPolicy, Verdict } from '../core/retention.ts'
import type { SnapshotInfo } from './snapshot-info.ts'

export type GroupKey = 'host' | 'paths' | 'tags'

/** Snapshots that belong together: the policy is applied to each group for itself. */
export interface SnapshotGroup {
  readonly host: string | undefined
  readonly paths: readonly Uint8Array[] | undefined
  readonly tags: readonly string[] | undefined
  /** In the order of their commits. */
  readonly snapshots: readonly SnapshotInfo[]
}

export interface GroupVerdict extends SnapshotGroup {
  /** The newest first. */
  readonly verdicts: readonly Verdict<Retained>[]
}

export interface Retained {
  readonly info: SnapshotInfo
  readonly timeMs: number
  readonly tags: readonly string[]
  readonly pinned: boolean
}

/** Groups by what `keys` names: equal hosts, equal sets of paths, equal sets of tags. */
export function groupSnapshots(snapshots: readonly SnapshotInfo[], keys: readonly GroupKey[]): SnapshotGroup[] {
  const groups = new Map<string, SnapshotInfo[]>()
  for (const snapshot of snapshots) {
    const { host, paths, tags } = snapshot.manifest
    const key = JSON.stringify([
      keys.includes('host') ? host : '',
      keys.includes('paths') ? paths.map((path) => asBuffer(path).toString('latin1')).sort() : [],
      keys.includes('tags') ? tags.toSorted() : [],
    ])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [snapshot])
    else group.push(snapshot)
  }
  return [...groups.values()].map((members) => {
    const manifest = members[0]?.manifest
    return {
      host: keys.includes('host') ? manifest?.host : undefined,
      paths: keys.includes('paths') ? manifest?.paths : undefined,
      tags: keys.includes('tags') ? manifest?.tags : undefined,
      snapshots: members.toSorted((a, b) => a.commitSequence - b.commitSequence),
    }
  })
}

export function toRetained(info: SnapshotInfo): Retained {
  const timeMs = Number(info.manifest.timeNs / 1_000_000n)
  return { info, timeMs, tags: info.manifest.tags, pinned: info.pin !== undefined }
}

/** What a policy says of each snapshot. */
export function judgeGroups(
  groups: readonly SnapshotGroup[],
  policy: RetentionPolicy,
  context: Parameters<typeof applyRetention>[2],
): GroupVerdict[] {
  return groups.map((group) => ({
    ...group,
    verdicts: applyRetention(group.snapshots.map(toRetained), policy, context),
  }))
}
