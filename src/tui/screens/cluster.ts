import { formatBytes, plural } from '../../core/human-format.ts'
import type { NodeInfo } from '../../core/model.ts'
import { safeText } from '../../core/safe-text.ts'
import type { Key } from '../key-parser.ts'
import { clampTo, isKey, isText, moveInList } from '../list-cursor.ts'
import { stay, yesOrNo } from '../screen.ts'
import type { Effect, KeyHint, Next, Screen, Shared } from '../screen.ts'
import type { News, NodeWork } from '../work.ts'
import { clusterView } from './cluster-view.ts'

export interface ClusterState {
  /** Name of the node that keys are about; undefined until one was chosen. */
  readonly node: string | undefined
  /** What takes the lower part of the screen. */
  readonly pane: 'events' | 'snapshots'
  /** First line that the pane shows, counted from the newest. */
  readonly scroll: number
}

export const clusterScreen: Screen<ClusterState> = {
  title: 'Cluster',
  initial: { node: undefined, pane: 'snapshots', scroll: 0 },
  help: [
    'Nodes, with what they hold and when they were last heard of; below them the repairs and moves that go on.',
    'The lower part shows what copies each snapshot has now, or what happens, as it happens: Tab changes it.',
    'To drain a node copies what it holds to others and gives it nothing new; to resume takes it into use again.',
    'You are told what would happen and asked before anything is done.',
  ],
  keys,
  onKey,
  onNews,
  view: (own, shared) => clusterView({ ...own, node: chosen(own, shared)?.node.name }, shared),
}

export function nodesOf({ feed }: Shared): readonly NodeInfo[] {
  const nodes = feed.status?.nodes ?? []
  return nodes.filter(({ state }) => state !== 'removed')
}

function chosen(own: ClusterState, shared: Shared): NodeInfo | undefined {
  const nodes = nodesOf(shared)
  return nodes.find(({ node }) => node.name === own.node) ?? nodes[0]
}

function keys(own: ClusterState, shared: Shared): KeyHint[] {
  const node = chosen(own, shared)
  const drained = node?.state === 'draining' || node?.state === 'drained'
  return [
    { key: '↑↓', does: 'node' },
    ...(node === undefined ? [] : [drained ? { key: 'r', does: 'resume it' } : { key: 'd', does: 'drain it' }]),
    { key: 'Tab', does: own.pane === 'events' ? 'snapshots' : 'events' },
    { key: 'PgUp/PgDn', does: 'scroll' },
  ]
}

function onKey(own: ClusterState, key: Key, shared: Shared): Next<ClusterState> {
  if (isKey(key, 'tab')) {
    return stay({ ...own, pane: own.pane === 'events' ? 'snapshots' : 'events', scroll: 0 })
  }
  if (isKey(key, 'page-up', 'page-down')) return stay({ ...own, scroll: scrolled(own, key, shared) })
  const nodes = nodesOf(shared)
  const at = nodes.findIndex(({ node }) => node.name === chosen(own, shared)?.node.name)
  const moved = moveInList(key, at, { count: nodes.length, rows: nodes.length })
  if (moved !== undefined) return stay({ ...own, node: nodes[moved]?.node.name })
  const act = isText(key, 'd') ? 'drain' : isText(key, 'r') ? 'resume' : undefined
  const node = nodes[at]?.node.name
  if (act === undefined || node === undefined) return stay(own)
  return stay(own, { do: 'start', work: { kind: 'node', act, node, dryRun: true } })
}

function scrolled({ pane, scroll }: ClusterState, key: Key, { feed, room }: Shared): number {
  const count = pane === 'events' ? feed.events.length : (feed.snapshots?.length ?? 0)
  const page = Math.max(1, Math.floor(room.rows / 2))
  return clampTo(isKey(key, 'page-down') ? scroll + page : scroll - page, count)
}

function onNews(own: ClusterState, news: News): Next<ClusterState> {
  if (news.kind === 'ended' && news.work.kind === 'node' && news.problem !== undefined) {
    return stay(own, { do: 'tell', text: news.problem, tone: 'bad' })
  }
  if (news.kind !== 'node-outlook') return stay(own)
  const { work, outlook } = news
  const name = safeText(outlook.node)
  if (!outlook.changed) return stay(own, { do: 'tell', text: `${name} is ${outlook.state} already` })
  if (work.dryRun) return stay(own, question(work, outlook))
  const text = work.act === 'drain' ? `${name} is being emptied` : `${name} is used again`
  return stay(own, { do: 'tell', text, tone: 'good' })
}

type Outlook = Extract<News, { kind: 'node-outlook' }>['outlook']

function question(work: NodeWork, outlook: Outlook): Effect {
  const name = safeText(outlook.node)
  const effects = [{ do: 'start', work: { ...work, dryRun: false } }] as const
  if (work.act === 'resume')
    return yesOrNo(`Use ${name} again?`, ['New packs may be placed on it.'], { label: 'yes, use it', effects })
  const targets = outlook.targets.map(({ node, bytes }) => `${safeText(node)} ${formatBytes(bytes)}`)
  const text = [
    `It holds ${plural(outlook.packs, 'pack')}, ${formatBytes(outlook.bytes)}. It gets nothing new from now on;`,
    `${plural(outlook.short, 'pack')} must be copied to other nodes before it is empty.`,
    ...(targets.length > 0 ? [`About where to: ${targets.join(', ')}`] : []),
    'Backups and restores go on meanwhile. It can be resumed at any time.',
  ]
  return yesOrNo(`Drain ${name}?`, text, { label: 'yes, drain it', effects })
}
