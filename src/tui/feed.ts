import type { SnapshotInfo } from '../client/index.ts'
import type { ClusterEvent } from '../core/cluster-events.ts'
import { tuiEventsMax, tuiSilenceMs } from '../core/client-limits.ts'
import type { ClusterStatus } from '../core/model.ts'
import type { Task } from '../core/node-admin.ts'
import type { ScheduleSummary } from '../core/schedules.ts'
import type { News } from './work.ts'

/** What is known of the cluster, and how fresh that is. */
export interface Feed {
  readonly link: Link
  /** Undefined until the first answer; afterwards the last one. */
  readonly status: ClusterStatus | undefined
  readonly tasks: readonly Task[]
  /** How all schedules are doing. */
  readonly schedules: ScheduleSummary | undefined
  /** The newest last. */
  readonly events: readonly ClusterEvent[]
  /** The newest first; undefined until they were listed. */
  readonly snapshots: readonly SnapshotInfo[] | undefined
}

export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'up'; readonly heardMs: number }
  | { readonly state: 'down'; readonly problem: string; readonly sinceMs: number; readonly retryAtMs: number }

export const emptyFeed: Feed = {
  link: { state: 'connecting' },
  status: undefined,
  tasks: [],
  schedules: undefined,
  events: [],
  snapshots: undefined,
}

export function feedWith(feed: Feed, news: News, nowMs: number): Feed {
  switch (news.kind) {
    case 'status': {
      const { status, tasks, schedules } = news
      return { ...feed, link: { state: 'up', heardMs: nowMs }, status, tasks, schedules }
    }
    case 'lost': {
      const sinceMs = feed.link.state === 'down' ? feed.link.sinceMs : nowMs
      return { ...feed, link: { state: 'down', problem: news.problem, sinceMs, retryAtMs: nowMs + news.retryMs } }
    }
    case 'event':
      return { ...feed, events: [...feed.events, news.event].slice(-tuiEventsMax) }
    case 'snapshots':
      return { ...feed, snapshots: news.snapshots }
    default:
      return feed
  }
}

/** Whether what is shown may be old because nobody answers. */
export function isStale({ link }: Feed, nowMs: number): boolean {
  return link.state === 'down' || (link.state === 'up' && nowMs - link.heardMs > tuiSilenceMs)
}
