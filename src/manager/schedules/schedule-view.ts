import type { CatalogueReader } from '../catalogue.ts'
import type { AgentInfo, BackupVersion, Schedule, ScheduleRun } from '../../core/schedules.ts'
import type { AgentRow, RunRow, ScheduleRow, VersionRow } from '../catalogue-schedules.ts'
import type { AgentPresence } from './agent-presence.ts'
import { judge } from './plan.ts'

interface View {
  readonly presence: AgentPresence
  readonly nowMs: number
}

/** A schedule as people see it. */
export async function viewSchedule(tx: CatalogueReader, row: ScheduleRow, view: View): Promise<Schedule> {
  const { presence, nowMs } = view
  const { agent, path } = row.spec
  const activeRun = row.activeRun === 0 ? undefined : await tx.runs.find(row.activeRun)
  const lastRun = row.lastRun === 0 ? undefined : await tx.runs.find(row.lastRun)
  const known = presence.get(agent) !== undefined
  const judged = judge(row, { nowMs, agent: { known, connected: presence.isConnected(agent) }, activeRun, lastRun })
  return {
    scheduleId: row.scheduleId,
    spec: row.spec,
    ...judged,
    createdAtMs: row.createdAtMs,
    changedAtMs: row.changedAtMs,
    nextRunAtMs: row.paused ? 0 : row.nextRunAtMs,
    lastSuccessAtMs: row.lastSuccessAtMs,
    newestSerial: (await tx.versions.newest({ agent, path }))?.serial ?? 0,
    failures: row.failures,
    activeRun: activeRun === undefined ? undefined : viewRun(activeRun, presence),
    lastRun: lastRun === undefined ? undefined : viewRun(lastRun, presence),
  }
}

/** A run as people see it, with how far it is. */
export function viewRun(row: RunRow, presence: AgentPresence): ScheduleRun {
  const { registration: _, cancelled: __, ...run } = row
  if (row.state !== 'running') return run
  const progress = presence.progress(row.agent, row.number)
  return progress === undefined ? run : { ...run, sizes: progress.sizes }
}

export async function viewVersion(tx: CatalogueReader, row: VersionRow): Promise<BackupVersion> {
  const { serial, snapshotId, madeAtMs, checkedAtMs, runNumber, bytes } = row
  const snapshot = await tx.snapshots.find(snapshotId)
  const kept = snapshot?.expiresAtMs === 0
  return { serial, snapshotId, madeAtMs, checkedAtMs, runNumber, bytes, kept }
}

/** An agent, or only its name where schedules wait for it. */
export function viewAgent(
  name: string,
  { row, presence, schedules }: { row: AgentRow | undefined; presence: AgentPresence; schedules: number },
): AgentInfo {
  const here = presence.get(name)
  return {
    name,
    connected: presence.isConnected(name),
    known: row !== undefined,
    lastSeenAtMs: here?.seenAtMs ?? 0,
    allow: row?.allow ?? [],
    hooks: row?.hooks ?? [],
    clockAheadMs: here?.clockAheadMs ?? 0,
    runsMax: row?.runsMax ?? 0,
    running: here?.running.length ?? 0,
    schedules,
    hostName: row?.hostName ?? '',
    programVersion: row?.programVersion ?? '',
  }
}
