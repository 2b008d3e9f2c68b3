import { isTwofoldError } from '../../core/errors.ts'
import { adminSnapshotsMax } from '../../core/limits.ts'
import { applyRetention, isEmptyPolicy } from '../../core/retention.ts'
import { versionsPerPolicy } from '../../core/schedule-limits.ts'
import type { ScheduleSpec } from '../../core/schedules.ts'
import { decodeManifest } from '../../format/manifest.ts'
import type { CatalogueReader } from '../catalogue.ts'
import type { SnapshotRow } from '../catalogue-rows.ts'
import type { RunRow } from '../catalogue-schedules.ts'
import type { ManagerContext } from '../context.ts'
import { forgetSnapshots } from '../gc/trash.ts'

/**
 * Moves versions to the trash that the schedule's policy does not keep, after a run has made a new one. That one always
 * stays. What fails here is tried again after the next run: nothing is lost by it.
 */
export async function applyKeep(context: ManagerContext, run: RunRow): Promise<void> {
  const found = await context.catalogue.read(async (tx) => {
    const schedule = await tx.schedules.find(run.scheduleId)
    if (schedule === undefined || isEmptyPolicy(schedule.spec.keep)) return undefined
    return { spec: schedule.spec, rows: await versionsOf(tx, run) }
  })
  if (found === undefined) return
  const { spec, rows } = found
  const ids = toForget(rows, spec, context.time.nowMs()).filter((id) => id !== run.snapshotId)
  try {
    for (let start = 0; start < ids.length; start += adminSnapshotsMax) {
      const snapshotIds = ids.slice(start, start + adminSnapshotsMax)
      const actor = `schedule ${run.scheduleId.slice(0, 8)}`
      await forgetSnapshots(context, { vault: spec.vault, snapshotIds, actor, now: false })
    }
  } catch (error) {
    if (!isTwofoldError(error)) throw error
    context.logger.warn('what a schedule does not keep could not be forgotten; it is tried again', { error })
  }
}

/** Snapshots of the path that are not forgotten, the newest first. */
async function versionsOf(tx: CatalogueReader, run: RunRow): Promise<SnapshotRow[]> {
  const rows: SnapshotRow[] = []
  for (const { snapshotId } of await tx.versions.page(run, Number.MAX_SAFE_INTEGER, versionsPerPolicy)) {
    const row = await tx.snapshots.find(snapshotId)
    if (row?.expiresAtMs === 0) rows.push(row)
  }
  return rows
}

function toForget(rows: readonly SnapshotRow[], spec: ScheduleSpec, nowMs: number): SnapshotRow['snapshotId'][] {
  const snapshots = rows.toReversed().map((row) => {
    const { tags, timeNs } = decodeManifest(row.manifest)
    return { row, tags, timeMs: Number(timeNs / 1_000_000n), pinned: row.pin !== undefined }
  })
  const timeZone = spec.timing.timeZone === '' ? 'UTC' : spec.timing.timeZone
  const verdicts = applyRetention(snapshots, spec.keep, { nowMs, timeZone })
  return verdicts.filter(({ keep }) => !keep).map(({ snapshot }) => snapshot.row.snapshotId)
}
