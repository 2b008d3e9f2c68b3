import type { ClusterStatus } from '../core/model.ts'
import type { Schedule, ScheduleSummary } from '../core/schedules.ts'
import { TwofoldError } from '../core/errors.ts'
import type { ExitCode } from './exit-codes.ts'
import { formatAgo, formatCount, plural } from '../core/human-format.ts'
import { parseDuration } from './quantities.ts'

/** A condition that a monitor wants to hear of. */
export interface Alarm {
  readonly name: string
  /** Of those that have one. */
  readonly limitMs: number
}

/** A condition that holds. */
export interface Raised {
  readonly name: string
  readonly reason: string
}

type Judge = (
  status: ClusterStatus,
  context: { readonly nowMs: number; readonly limitMs: number; readonly schedules: ScheduleSummary | undefined },
) => string | undefined

const dead: readonly string[] = ['dead', 'suspect', 'joining']

/** What each condition looks at. @returns why it holds */
const judges: Readonly<Record<string, { readonly limit: boolean; readonly judge: Judge }>> = {
  lost: {
    limit: false,
    judge: ({ safety, packsUnavailable }) =>
      when(
        safety.lost + packsUnavailable,
        `${plural(safety.lost, 'snapshot')} and ${plural(packsUnavailable, 'pack')}`,
      ),
  },
  degraded: {
    limit: false,
    judge: ({ safety, packsDegraded }) =>
      when(
        safety.degraded + safety.lost + packsDegraded,
        `${plural(safety.degraded + safety.lost, 'snapshot')} and ${plural(packsDegraded, 'pack')} with too few copies`,
      ),
  },
  'node-down': { limit: false, judge: ({ nodes }) => named(nodes.filter(({ state }) => dead.includes(state))) },
  'read-only': {
    limit: false,
    judge: ({ nodes }) => named(nodes.filter(({ state, writable }) => state === 'up' && !writable)),
  },
  'safe-mode': { limit: false, judge: ({ safeMode }) => (safeMode ? 'not all nodes have reported' : undefined) },
  catalogue: {
    limit: false,
    judge: ({ lineage, lineageProblem }) => (lineage === 'verified' ? undefined : `${lineage}: ${lineageProblem}`),
  },
  'stale-proof': {
    limit: true,
    judge: ({ safety, snapshots }, { nowMs, limitMs }) =>
      snapshots > 0 && nowMs - safety.provenAtMs > limitMs
        ? `the oldest proof is of ${formatAgo(safety.provenAtMs, nowMs)}`
        : undefined,
  },
  'no-backup': {
    limit: true,
    judge: ({ lastBackupMs }, { nowMs, limitMs }) =>
      nowMs - lastBackupMs > limitMs ? `the last one was ${formatAgo(lastBackupMs, nowMs)}` : undefined,
  },
  overdue: {
    limit: false,
    judge: (_, { schedules }) => scheduled(schedules?.overdue ?? 0, schedules, (schedule) => schedule.overdue),
  },
  failing: {
    limit: false,
    judge: (_, { schedules }) => scheduled(schedules?.failing ?? 0, schedules, (schedule) => schedule.failing),
  },
}

const schedulesNamed = 5

function scheduled(
  count: number,
  summary: ScheduleSummary | undefined,
  holds: (schedule: Schedule) => boolean,
): string | undefined {
  const found = (summary?.attention ?? []).filter(holds).slice(0, schedulesNamed)
  const names = found.map(({ spec }) => `${spec.agent}:${Buffer.from(spec.path).toString()}`)
  const more = count > names.length ? [`${formatCount(count - names.length)} more`] : []
  return when(count, `${plural(count, 'schedule')}: ${[...names, ...more].join(', ')}`)
}

function when(count: number, reason: string): string | undefined {
  return count > 0 ? reason : undefined
}

function named(nodes: ClusterStatus['nodes']): string | undefined {
  return when(nodes.length, `${formatCount(nodes.length)}: ${nodes.map(({ node }) => node.name).join(', ')}`)
}

export const alarmNames = Object.entries(judges).map(([name, { limit }]) => (limit ? `${name}:TIME` : name))

/** `degraded,node-down,stale-proof:30d`. @throws TwofoldError `invalid-argument` */
export function parseAlarms(text: string): Alarm[] {
  return text.split(',').map((item) => {
    const [name = '', limit] = item.trim().split(':')
    const known = Object.hasOwn(judges, name) ? judges[name] : undefined
    if (known === undefined) {
      throw new TwofoldError('invalid-argument', `"${item}" is no condition; there are ${alarmNames.join(', ')}`)
    }
    if (known.limit !== (limit !== undefined)) {
      const example = known.limit ? `${name}:30d` : name
      throw new TwofoldError('invalid-argument', `"${item}" is no condition; write for example ${example}`)
    }
    return { name, limitMs: limit === undefined ? 0 : parseDuration(limit) }
  })
}

/** Those of the conditions that hold. */
export function raised(
  alarms: readonly Alarm[],
  status: ClusterStatus,
  nowMs: number,
  schedules?: ScheduleSummary,
): Raised[] {
  return alarms.flatMap(({ name, limitMs }) => {
    const reason = judges[name]?.judge(status, { nowMs, limitMs, schedules })
    return reason === undefined ? [] : [{ name, reason }]
  })
}

/** The worst of them: 16 when data is lost, 15 when copies are missing, otherwise 17. */
export function alarmExitCode(of: readonly Raised[]): ExitCode {
  if (of.length === 0) return 0
  if (of.some(({ name }) => name === 'lost')) return 16
  return of.some(({ name }) => name === 'degraded') ? 15 : 17
}
