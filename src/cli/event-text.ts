import type { ClusterEvent, WatchedEvent } from '../core/cluster-events.ts'
import { whatHappened } from '../core/event-text.ts'
import type { CommonOptions, Run } from './command-setup.ts'
import { jsonTimeMs } from './json-time.ts'
import { safeText } from '../core/safe-text.ts'

/** What was watched, in fields whose names stay. */
export function eventRecord({ event, resumeToken, gap }: WatchedEvent): object {
  const token = resumeToken === '' ? {} : { resume_token: resumeToken }
  const common = { message_type: 'event', ...(gap ? { gap } : {}), ...token }
  if (event === undefined) return common
  const { kind, timeMs } = event
  const head = { ...common, kind, time: jsonTimeMs(timeMs) }
  if (event.kind === 'operation') {
    const { kind: what, number, actor, subject, result, detail, snapshotId } = event.operation
    return { ...head, number, operation: what, actor, subject, result, detail, snapshot_id: snapshotId }
  }
  const { before, after } = event
  if (event.kind === 'node') return { ...head, node: event.node, before, after }
  return { ...head, ...(event.kind === 'durability' ? { snapshot_id: event.snapshotId } : {}), before, after }
}

/** `2026-03-01 14:05:09  node n1: up → suspect` */
export function eventText(event: ClusterEvent, { output, cli }: Run<CommonOptions>): string {
  return `${output.time(event.timeMs, cli.clock.nowMs())}  ${safeText(whatHappened(event))}`
}
