import { copiesNow, safetyOf } from '../../core/durability-text.ts'
import type { Safety } from '../../core/durability-text.ts'
import { whatHappened } from '../../core/event-text.ts'
import type { ClusterEvent } from '../../core/cluster-events.ts'
import { formatBytes, formatCount, formatDuration, formatTime } from '../../core/human-format.ts'
import type { NodeInfo, NodeState } from '../../core/model.ts'
import type { Task } from '../../core/node-admin.ts'
import { isolate, safePath, safeText } from '../../core/safe-text.ts'
import type { SnapshotInfo } from '../../client/index.ts'
import { shortAgo } from '../health.ts'
import { bar, emptyLine, line, span } from '../lines.ts'
import type { Line, Span, Tone } from '../lines.ts'
import type { Shared } from '../screen.ts'
import { tableLines } from '../table.ts'
import type { Column } from '../table.ts'

export interface ClusterShown {
  readonly node: string | undefined
  readonly pane: 'events' | 'snapshots'
  readonly scroll: number
}

const tasksMost = 4
/** Lines of the lower part that are always there. */
const paneLeast = 6

export function clusterView(shown: ClusterShown, shared: Shared): Line[] {
  const { feed, room, nowMs, spinner } = shared
  if (feed.status === undefined) {
    return [line(span(feed.link.state === 'down' ? 'Nothing is known yet.' : `${spinner} asking the manager …`, 'dim'))]
  }
  const tasks = taskLines(feed.tasks)
  const nodes = feed.status.nodes.filter(({ state }) => state !== 'removed')
  const nodeRows = Math.max(3, room.rows - tasks.length - paneLeast - 3)
  const top = [...nodeLines(nodes, { shown, nowMs, width: room.columns, rows: nodeRows }), ...tasks, emptyLine]
  const rows = Math.max(1, room.rows - top.length)
  return [...top, ...paneLines(shown, shared, rows)]
}

const nodeColumns: readonly Column[] = [
  { title: 'Node', grows: true },
  { title: 'State', least: 8 },
  { title: 'Domain', dispensable: 3 },
  { title: 'Capacity' },
  { title: 'Used', align: 'right', least: 9 },
  { title: 'Packs', align: 'right' },
  { title: 'Load', align: 'right', dispensable: 2 },
  { title: 'Address', dispensable: 5 },
  { title: 'Version', dispensable: 4 },
  { title: 'Heard', align: 'right', least: 7 },
]

const stateTones: Readonly<Record<NodeState, Tone>> = {
  up: 'good',
  joining: 'warn',
  suspect: 'warn',
  dead: 'bad',
  draining: 'accent',
  drained: 'accent',
  removed: 'dim',
}

interface NodeTable {
  readonly shown: ClusterShown
  readonly nowMs: number
  readonly width: number
  readonly rows: number
}

function nodeLines(nodes: readonly NodeInfo[], { shown, nowMs, width, rows }: NodeTable): Line[] {
  const at = nodes.findIndex(({ node }) => node.name === shown.node)
  const start = Math.max(0, Math.min(at - rows + 2, nodes.length - rows))
  const part = nodes.slice(start, start + rows)
  const problems = part.filter(({ problem }) => problem !== '')
  const table = tableLines({
    columns: nodeColumns,
    rows: part.map((info) => ({ cells: nodeCells(info, nowMs), selected: info.node.name === shown.node })),
    width,
  })
  return [
    ...table,
    ...(part.length < nodes.length ? [line(span(`  … ${nodes.length} nodes in all`, 'dim'))] : []),
    ...problems
      .slice(0, 2)
      .map(({ node, problem }) => line(span(`  ${safeText(node.name)}: ${safeText(problem)}`, 'warn'))),
  ]
}

function nodeCells(info: NodeInfo, nowMs: number): Span[] {
  const { node, state, writable, capacityBytes, usedBytes, packs, uploads, lastHeartbeatMs, programVersion } = info
  const share = capacityBytes === 0 ? 0 : usedBytes / capacityBytes
  const readOnly = state === 'up' && !writable
  return [
    span(isolate(safeText(node.name))),
    span(readOnly ? 'read-only' : state, readOnly ? 'warn' : stateTones[state]),
    span(node.failureDomain === '' ? 'own' : safeText(node.failureDomain), 'dim'),
    span(`${bar(share, 8)} ${formatBytes(capacityBytes)}`, share > 0.9 ? 'warn' : 'plain'),
    span(formatBytes(usedBytes)),
    span(formatCount(packs)),
    span(uploads === 0 ? '-' : formatCount(uploads)),
    span(safeText(node.address), 'dim'),
    span(safeText(programVersion), 'dim'),
    span(shortAgo(lastHeartbeatMs, nowMs), state === 'up' ? 'plain' : 'warn'),
  ]
}

function taskLines(tasks: readonly Task[]): Line[] {
  if (tasks.length === 0) return []
  const shown = tasks.slice(0, tasksMost).map((task) => {
    const { kind, subject, packsDone, packsTotal, bytesDone, bytesTotal, bytesPerSecond, waitsFor } = task
    const share = packsTotal === 0 ? 0 : packsDone / packsTotal
    const what = subject === '' ? kind : `${kind} ${safeText(subject)}`
    const left =
      bytesPerSecond > 0 ? `, ${formatDuration(((bytesTotal - bytesDone) / bytesPerSecond) * 1000)} left` : ''
    const rate = bytesPerSecond > 0 ? `, ${formatBytes(bytesPerSecond)}/s${left}` : ''
    return line(
      span(`  ${what} `, 'accent'),
      span(`${bar(share, 6)} ${formatCount(packsDone)}/${formatCount(packsTotal)} packs, `),
      span(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${rate}`),
      span(waitsFor === '' ? '' : `, waits for ${safeText(waitsFor)}`, 'warn'),
    )
  })
  const more = tasks.length - shown.length
  return [emptyLine, ...shown, ...(more > 0 ? [line(span(`  … ${more} more`, 'dim'))] : [])]
}

function paneLines({ pane, scroll }: ClusterShown, { feed, nowMs, room }: Shared, rows: number): Line[] {
  const tab = (name: typeof pane, text: string): Span => span(text, name === pane ? 'strong' : 'dim')
  const title = line(tab('snapshots', 'Copies now'), span('   ', 'dim'), tab('events', 'Events'))
  if (pane === 'events') {
    const events = feed.events.toReversed().slice(scroll, scroll + rows - 1)
    if (events.length === 0) return [title, line(span('  Nothing has happened since this was opened.', 'dim'))]
    return [title, ...events.map(eventLine)]
  }
  const { snapshots } = feed
  if (snapshots === undefined) return [title, line(span('  …', 'dim'))]
  if (snapshots.length === 0) return [title, line(span('  There are no backups yet.', 'dim'))]
  const part = snapshots.slice(scroll, scroll + Math.max(1, rows - 2))
  return [title, ...snapshotLines(part, { nowMs, width: room.columns })]
}

function eventLine(event: ClusterEvent): Line {
  const words = whatHappened(event)
  const bad = /(→|:) .*\b(dead|lost|failed|abandoned)\b/.test(words)
  const warn = /→ .*\b(suspect|repairing|waiting|degraded|draining)\b/.test(words)
  return line(
    span(`  ${formatTime(event.timeMs).slice(11)}  `, 'dim'),
    span(safeText(words), bad ? 'bad' : warn ? 'warn' : 'plain'),
  )
}

export const safetyTones: Readonly<Record<Safety, Tone>> = {
  full: 'good',
  degraded: 'warn',
  repairing: 'accent',
  waiting: 'warn',
  lost: 'bad',
}

function snapshotLines(part: readonly SnapshotInfo[], { nowMs, width }: { nowMs: number; width: number }): Line[] {
  return tableLines({
    columns: [
      { title: 'Snapshot' },
      { title: 'Copies now', least: 13 },
      { title: 'Domains', align: 'right', dispensable: 2 },
      { title: 'Nodes', dispensable: 4 },
      { title: 'Proven', align: 'right', dispensable: 1 },
      { title: 'Taken', align: 'right' },
      { title: 'Host', dispensable: 3 },
      { title: 'Paths', grows: true },
    ],
    rows: part.map(({ shortId, durability, manifest, committedAtMs }) => ({
      cells: [
        span(shortId),
        span(copiesNow(durability), safetyTones[safetyOf(durability)]),
        span(String(durability.failureDomains)),
        span(
          durability.nodes
            .map(({ name }) => safeText(name))
            .sort()
            .join(' '),
          'dim',
        ),
        span(shortAgo(durability.provenAtMs, nowMs)),
        span(shortAgo(committedAtMs, nowMs)),
        span(isolate(safeText(manifest.host))),
        span(
          manifest.fileName === ''
            ? manifest.paths.map((path) => isolate(safePath(path))).join(' ')
            : safeText(manifest.fileName),
        ),
      ],
    })),
    width,
  })
}
