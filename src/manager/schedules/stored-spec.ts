import type { RetentionPolicy } from '../../core/retention.ts'
import type { ScheduleSpec } from '../../core/schedules.ts'
import type { ScheduleRow } from '../catalogue-schedules.ts'

/** Counts without a limit, which JSON has no number for. */
const unlimited = -1

/** A spec as plain data that JSON keeps, for the catalogue and the log. */
export function specToFields({ path, keep, ...rest }: ScheduleSpec): Record<string, unknown> {
  const counts = Object.entries(keep.counts).map(([name, count]) => [name, count === Infinity ? unlimited : count])
  return {
    ...rest,
    path: Buffer.from(path).toString('base64'),
    keep: { ...keep, counts: Object.fromEntries(counts) as object },
  }
}

/** A spec again; what a newer program added to it is kept, and what an older one did not have is empty. */
export function specFromFields(fields: Readonly<Record<string, unknown>>): ScheduleSpec {
  const { path, keep, ...rest } = { ...empty, ...fields } as unknown as ScheduleSpec & { path: string }
  const counts = Object.entries(keep.counts).map(([name, count]) => [name, count === unlimited ? Infinity : count])
  return {
    ...rest,
    path: new Uint8Array(Buffer.from(path, 'base64')),
    keep: { ...keep, counts: Object.fromEntries(counts) as RetentionPolicy['counts'] },
  }
}

const empty: Omit<ScheduleSpec, 'path' | 'agent'> = {
  timing: { every: '', at: '', timeZone: '' },
  vault: '',
  excludes: [],
  excludeCaches: false,
  oneFileSystem: false,
  tags: [],
  keep: { counts: {}, within: {}, tags: [] },
  hookBefore: '',
  hookAfter: '',
}

/** What is decided about a schedule, for the log and for answers that are given again. */
export type DecidedSchedule = Pick<
  ScheduleRow,
  'scheduleId' | 'spec' | 'paused' | 'anchorMs' | 'createdAtMs' | 'changedAtMs'
>

export function decisionToFields(row: DecidedSchedule): Record<string, unknown> {
  const { scheduleId, spec, paused, anchorMs, createdAtMs, changedAtMs } = row
  return { scheduleId, spec: specToFields(spec), paused, anchorMs, createdAtMs, changedAtMs }
}

export function decisionFromFields(fields: Readonly<Record<string, unknown>>): DecidedSchedule {
  const { spec, ...rest } = fields
  return { ...(rest as unknown as DecidedSchedule), spec: specFromFields(spec as Record<string, unknown>) }
}
