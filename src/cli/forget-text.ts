import type { GroupVerdict, SnapshotGroup } from '../client/index.ts'
import { toRetained } from '../client/index.ts'
import { simulateRetention } from '../core/retention-simulation.ts'
import type { Simulation } from '../core/retention-simulation.ts'
import type { RetentionPolicy } from '../core/retention.ts'
import { formatTime, plural } from '../core/human-format.ts'
import { jsonTimeMs } from './json-time.ts'
import { safePath, safeText } from '../core/safe-text.ts'
import { snapshotRecord } from './snapshot-text.ts'
import { renderTable } from './table.ts'
import type { TableLayout } from './table.ts'

/** A group in restic's fields. */
export function forgetRecord(group: GroupVerdict): Record<string, unknown> {
  const { verdicts } = group
  const record = (verdict: GroupVerdict['verdicts'][number]): Record<string, unknown> =>
    snapshotRecord(verdict.snapshot.info)
  const kept = verdicts.filter(({ keep }) => keep)
  return {
    ...groupRecord(group),
    keep: kept.map(record),
    remove: verdicts.filter(({ keep }) => !keep).map(record),
    reasons: kept.map((verdict) => ({ snapshot: record(verdict), matches: verdict.reasons })),
  }
}

function groupRecord({ host, paths, tags }: SnapshotGroup): Record<string, unknown> {
  const texts = paths?.map((path) => Buffer.from(path).toString('utf8'))
  return { tags: tags ?? null, host: host ?? '', paths: texts ?? null }
}

export function groupTitle({ host, paths, tags }: SnapshotGroup): string {
  const parts = [
    ...(host === undefined ? [] : [`host ${safeText(host)}`]),
    ...(paths === undefined ? [] : [`paths ${paths.map(safePath).join(', ')}`]),
    ...(tags === undefined
      ? []
      : [tags.length === 0 ? 'no tags' : `tags ${tags.map((tag) => safeText(tag)).join(', ')}`]),
  ]
  return parts.length === 0 ? 'all snapshots' : parts.join(', ')
}

/** How times and tables are shown. */
export interface ForgetLook {
  readonly layout: TableLayout
  readonly time: (ms: number) => string
}

export function forgetLines(group: GroupVerdict, { layout, time }: ForgetLook): string[] {
  const kept = group.verdicts.filter(({ keep }) => keep)
  const gone = group.verdicts.filter(({ keep }) => !keep)
  const row = ({ snapshot, reasons }: GroupVerdict['verdicts'][number]): string[] => [
    snapshot.info.shortId,
    time(snapshot.timeMs),
    safeText(snapshot.info.manifest.host),
    safeText(snapshot.tags.join(',')),
    safeText(reasons.join('; ')),
  ]
  const columns = [
    { title: 'ID' },
    { title: 'Time', spare: 1 },
    { title: 'Host', spare: 4 },
    { title: 'Tags', spare: 3 },
    { title: 'Kept because', spare: 2 },
  ]
  return [
    `${groupTitle(group)}:`,
    ...(kept.length === 0
      ? []
      : [`keep ${plural(kept.length, 'snapshot')}:`, ...renderTable(columns, kept.map(row), layout)]),
    ...(gone.length === 0
      ? []
      : [`forget ${plural(gone.length, 'snapshot')}:`, ...renderTable(columns.slice(0, 4), gone.map(row), layout)]),
    '',
  ]
}

export interface SimulationSettings {
  readonly nowMs: number
  readonly timeZone: string
  readonly everyMs: number
  readonly count: number
}

function simulate(group: SnapshotGroup, policy: RetentionPolicy, settings: SimulationSettings): Simulation {
  const newestMs = Math.max(...group.snapshots.map((info) => toRetained(info).timeMs))
  const fromMs = newestMs === -Infinity ? settings.nowMs : newestMs + settings.everyMs
  return simulateRetention(group.snapshots.map(toRetained), policy, { ...settings, fromMs })
}

/** Without any snapshot the policy is shown on a group that begins now. */
function groupsOrNone(groups: readonly SnapshotGroup[]): readonly SnapshotGroup[] {
  const none = { host: undefined, paths: undefined, tags: undefined, snapshots: [] }
  return groups.length === 0 ? [none] : groups
}

export function simulationRecord(
  groups: readonly SnapshotGroup[],
  policy: RetentionPolicy,
  settings: SimulationSettings,
): object {
  return groupsOrNone(groups).map((group) => {
    const { steps, kept } = simulate(group, policy, settings)
    return {
      ...groupRecord(group),
      steps: steps.map(({ timeMs, kept: count, forgotten, oldestMs }) => {
        return { time: jsonTimeMs(timeMs), keep: count, remove: forgotten, oldest: jsonTimeMs(oldestMs) }
      }),
      keep: kept.map(({ timeMs, reasons }) => ({ time: jsonTimeMs(timeMs), matches: reasons })),
    }
  })
}

export function simulationLines(
  groups: readonly SnapshotGroup[],
  policy: RetentionPolicy,
  settings: SimulationSettings,
): string[] {
  return groupsOrNone(groups).flatMap((group) => {
    const { steps, kept } = simulate(group, policy, settings)
    const over = steps.map(({ timeMs, kept: count, forgotten, oldestMs }) => {
      return [formatTime(timeMs), String(count), String(forgotten), formatTime(oldestMs)]
    })
    const right = (title: string) => ({ title, align: 'right' as const })
    const then = kept.map(({ timeMs, reasons }) => [formatTime(timeMs), safeText(reasons.join('; '))])
    return [
      `${groupTitle(group)}, if backups go on:`,
      ...renderTable([{ title: 'Backup at' }, right('Kept'), right('Forgotten'), { title: 'Oldest' }], over),
      '',
      `kept in the end, ${plural(kept.length, 'snapshot')}:`,
      ...renderTable([{ title: 'Time' }, { title: 'Because' }], then),
      '',
    ]
  })
}
