import { isTwofoldError } from '../../core/errors.ts'
import { parseSnapshotId } from '../../core/ids.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { LogRow } from '../catalogue-rows.ts'
import type { VersionRow } from '../catalogue-schedules.ts'
import { nextRunAt } from '../schedules/plan.ts'
import { decisionFromFields } from '../schedules/stored-spec.ts'
import type { DecidedSchedule } from '../schedules/stored-spec.ts'

interface Decided {
  readonly sequence: number
  /** Undefined for one that was removed. */
  readonly schedule: DecidedSchedule | undefined
}

type Version = Omit<VersionRow, 'checkedAtMs' | 'runNumber'> & { readonly sequence: number }

/** What the log says of schedules. Of what is said about one, the entry with the highest number counts. */
export class ScheduleFacts {
  readonly #schedules = new Map<string, Decided>()
  readonly #versions = new Map<string, Version>()

  /** Whether the entry was about schedules. */
  take({ kind, sequence }: LogRow, fields: Readonly<Record<string, unknown>>): boolean {
    if (kind === 'schedule') this.#decide(sequence, String(fields['scheduleId']), decisionFromFields(fields))
    else if (kind === 'schedule-removed') this.#decide(sequence, String(fields['scheduleId']), undefined)
    else if (kind === 'version') this.#addVersion(sequence, fields as unknown as Version & { path: unknown })
    else return false
    return true
  }

  #decide(sequence: number, id: string, schedule: DecidedSchedule | undefined): void {
    if ((this.#schedules.get(id)?.sequence ?? -1) < sequence) this.#schedules.set(id, { sequence, schedule })
  }

  #addVersion(sequence: number, { agent, path, serial, snapshotId, madeAtMs, bytes }: Version): void {
    try {
      const bytesOfPath = new Uint8Array(Buffer.from(String(path), 'base64'))
      const version = { agent, path: bytesOfPath, serial, snapshotId: parseSnapshotId(snapshotId), madeAtMs, bytes }
      this.#versions.set(`${agent}:${String(path)}:${snapshotId}`, { ...version, sequence })
    } catch (error) {
      if (!isTwofoldError(error, 'invalid-argument')) throw error
    }
  }

  /**
   * Writes what was found into a catalogue. A version whose number another log gave to another content gets the next
   * one. Schedules are due since their newest version: what was missed is caught up.
   */
  async write(tx: CatalogueWriter): Promise<void> {
    const versions = [...this.#versions.values()].sort((a, b) => a.serial - b.serial || a.sequence - b.sequence)
    for (const { sequence: _, ...version } of versions) {
      const newest = (await tx.versions.newest(version))?.serial ?? 0
      const serial = Math.max(version.serial, newest + 1)
      await tx.versions.add({ ...version, serial, checkedAtMs: version.madeAtMs, runNumber: 0 })
    }
    const decided = [...this.#schedules.values()].sort((a, b) => b.sequence - a.sequence)
    for (const { schedule } of decided) {
      if (schedule === undefined || (await tx.schedules.ofSeries(schedule.spec)) !== undefined) continue
      const lastSuccessAtMs = (await tx.versions.newest(schedule.spec))?.madeAtMs ?? 0
      const since = Math.max(lastSuccessAtMs, schedule.anchorMs)
      const nextRunAtMs = schedule.paused ? 0 : nextRunAt(schedule, since)
      const runs = { retrying: false, activeRun: 0, lastRun: 0, lastSuccessAtMs, failures: 0 }
      await tx.schedules.put({ ...schedule, ...runs, nextRunAtMs })
    }
  }
}
