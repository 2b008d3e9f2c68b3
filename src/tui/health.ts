import { isWell } from '../core/cluster-health.ts'
import { formatBytes, formatCount, plural } from '../core/human-format.ts'
import type { ClusterStatus } from '../core/model.ts'
import type { ScheduleSummary } from '../core/schedules.ts'
import { lineWidth, span } from './lines.ts'
import type { Line } from './lines.ts'

/** The state of the cluster in one line; in two where not even the short words fit into so many `columns`. */
export function healthLines(status: ClusterStatus, nowMs: number, columns: number): Line[] {
  const [long, short] = [false, true].map((brief) => healthParts(status, nowMs, brief))
  const fitting = [long, short].find((parts) => parts !== undefined && lineWidth(parts.flat()) <= columns)
  if (fitting !== undefined) return [fitting.flat()]
  const [begin = [], [, ...end] = []] = short ?? []
  return [begin, [span('  '), ...end]]
}

function healthParts(status: ClusterStatus, nowMs: number, brief: boolean): [Line, Line] {
  const present = status.nodes.filter(({ state }) => state !== 'removed')
  const up = present.filter(({ state }) => state === 'up').length
  const free = present.reduce((sum, node) => sum + (node.state === 'up' ? node.freeBytes : 0), 0)
  const short = status.packsDegraded + status.packsUnavailable
  const lost = status.packsUnavailable > 0 || status.safety.lost > 0
  const well = isWell(status)
  const attention = brief ? '● attention' : '● needs attention'
  return [
    [
      span(well ? '● well' : lost ? '● data lost' : attention, well ? 'good' : lost ? 'bad' : 'warn'),
      span('  '),
      span(`${up}/${present.length} ${brief ? 'up' : 'nodes up'}`, up === present.length ? 'plain' : 'warn'),
      span(`, ${formatBytes(free)} free, ${plural(status.snapshots, 'snapshot')}`),
    ],
    [
      span(', '),
      span(
        `${formatCount(short)} ${short === 1 ? 'pack' : 'packs'} short`,
        short === 0 ? 'plain' : lost ? 'bad' : 'warn',
      ),
      span(`, backup ${shortAgo(status.lastBackupMs, nowMs)}`),
    ],
  ]
}

/** `now`, `12s ago`, `3m ago`, `never` for 0. */
export function shortAgo(thenMs: number, nowMs: number): string {
  if (thenMs === 0) return 'never'
  const seconds = Math.floor((nowMs - thenMs) / 1000)
  return seconds < 2 ? 'now' : `${shortSpan(seconds)} ago`
}

function shortSpan(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}

/** What needs attention, in sentences. */
export function concerns(status: ClusterStatus): string[] {
  const { nodes, safeMode, lineage, lineageProblem, packsDegraded, packsUnavailable, copiesDamaged } = status
  const inState = (...states: readonly string[]): string[] =>
    nodes.filter(({ state }) => states.includes(state)).map(({ node }) => node.name)
  const [away, dead] = [inState('suspect', 'joining'), inState('dead')]
  const readOnly = nodes.filter(({ state, writable }) => state === 'up' && !writable).map(({ node }) => node.name)
  const told = [
    safeMode ? 'Safe mode: nothing is repaired or deleted until the nodes have reported.' : '',
    lineage === 'verified' ? '' : `The catalogue is ${lineage}: ${lineageProblem}.`,
    away.length > 0 ? `Not heard of: ${away.join(', ')}. What it has is copied elsewhere once it counts as dead.` : '',
    dead.length > 0 ? `Dead: ${dead.join(', ')}. What it had is copied elsewhere from the other copies.` : '',
    readOnly.length > 0 ? `Accepts no writes: ${readOnly.join(', ')}.` : '',
    packsDegraded > 0
      ? `${plural(packsDegraded, 'pack')} with fewer copies than wanted; see Cluster for the repair.`
      : '',
    packsUnavailable > 0 ? `${plural(packsUnavailable, 'pack')} without any copy in reach.` : '',
    copiesDamaged > 0 ? `${plural(copiesDamaged, 'damaged copy', 'damaged copies')} put aside until replaced.` : '',
  ]
  return told.filter((text) => text !== '')
}

/** What of the schedules needs attention, in a sentence. */
export function scheduleConcerns(summary: ScheduleSummary | undefined): string[] {
  const { overdue = 0, failing = 0 } = summary ?? {}
  if (overdue + failing === 0) return []
  const counts = [
    ...(overdue > 0 ? [`${formatCount(overdue)} overdue`] : []),
    ...(failing > 0 ? [`${formatCount(failing)} failing`] : []),
  ]
  return [`Scheduled backups: ${counts.join(', ')}; see Schedules.`]
}
