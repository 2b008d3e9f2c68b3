import type { SnapshotId } from '../../core/ids.ts'
import { runMessageCharactersMax, runsKept } from '../../core/schedule-limits.ts'
import type { RunResult } from '../../core/schedules.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { RunRow, VersionRow } from '../catalogue-schedules.ts'
import { appendToLog } from '../commit-log.ts'
import { retryAt } from './plan.ts'

/** How a run ended. */
export interface Ending extends Pick<RunRow, 'snapshotId' | 'sizes' | 'filesUnreadable' | 'message' | 'durationMs'> {
  readonly state: RunResult
}

export interface Ended {
  readonly run: RunRow
  /** Whether it made a version. */
  readonly made: boolean
}

/**
 * Ends a run: gives its version a serial number or notes that the newest one was checked, and frees its schedule for
 * the next run. A run that is over stays as it is.
 */
export async function endRun(tx: CatalogueWriter, run: RunRow, end: { ending: Ending; nowMs: number }): Promise<Ended> {
  const { ending, nowMs } = end
  if (run.state !== 'queued' && run.state !== 'running') return { run, made: false }
  const newest = await tx.versions.newest(run)
  const good = ending.state === 'saved' || ending.state === 'unchanged'
  const row = good ? await tx.snapshots.find(ending.snapshotId as SnapshotId) : undefined
  const lost = good && row === undefined
  const made = row !== undefined && row.snapshotId !== newest?.snapshotId
  const serial = (newest?.serial ?? 0) + (made ? 1 : 0)
  if (row !== undefined && made) {
    await addVersion(tx, { ...newVersion(run, row.snapshotId, nowMs), serial, bytes: ending.sizes.bytes })
  }
  if (row !== undefined && !made && newest !== undefined) await tx.versions.checked(run, newest.serial, nowMs)
  const result: RunResult = lost ? 'failed' : good ? (made ? 'saved' : 'unchanged') : ending.state
  const message = lost ? `the snapshot ${ending.snapshotId.slice(0, 8)} that it reports is not there` : ending.message
  const ended: RunRow = {
    ...run,
    state: result,
    endedAtMs: nowMs,
    durationMs: ending.durationMs,
    serial,
    snapshotId: row?.snapshotId ?? '',
    sizes: ending.sizes,
    filesUnreadable: ending.filesUnreadable,
    message: message.slice(0, runMessageCharactersMax),
  }
  await tx.runs.update(ended)
  await tx.runs.trim(run, runsKept)
  await freeSchedule(tx, ended, nowMs)
  return { run: ended, made }
}

function newVersion(run: RunRow, snapshotId: SnapshotId, nowMs: number): Omit<VersionRow, 'serial' | 'bytes'> {
  const { agent, path, number } = run
  return { agent, path, snapshotId, madeAtMs: nowMs, checkedAtMs: nowMs, runNumber: number }
}

/** Also into the log: which snapshots are versions of what is nowhere else. */
async function addVersion(tx: CatalogueWriter, version: VersionRow): Promise<void> {
  await tx.versions.add(version)
  const { agent, path, serial, snapshotId, madeAtMs, bytes } = version
  const fields = { agent, path: Buffer.from(path).toString('base64'), serial, snapshotId, madeAtMs, bytes }
  await appendToLog(tx, 'version', fields)
}

async function freeSchedule(tx: CatalogueWriter, run: RunRow, nowMs: number): Promise<void> {
  const row = await tx.schedules.find(run.scheduleId)
  if (row?.activeRun !== run.number) return
  const free = { ...row, activeRun: 0, lastRun: run.number }
  if (run.state === 'cancelled') return tx.schedules.put(free)
  if (run.state === 'saved' || run.state === 'unchanged') {
    return tx.schedules.put({ ...free, failures: 0, lastSuccessAtMs: nowMs })
  }
  const failures = row.failures + 1
  // What an agent refuses it will refuse again.
  const again = run.state === 'refused' || row.paused ? 0 : retryAt(failures, nowMs)
  const sooner = again > 0 && (row.nextRunAtMs === 0 || again < row.nextRunAtMs)
  return tx.schedules.put({ ...free, failures, ...(sooner ? { nextRunAtMs: again, retrying: true } : {}) })
}
