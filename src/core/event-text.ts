import type { ClusterEvent } from './cluster-events.ts'

/** `node n1: up → suspect`. Not yet safe for a terminal. */
export function whatHappened(event: ClusterEvent): string {
  switch (event.kind) {
    case 'node':
      return `node ${event.node}: ${event.before === '' ? 'new' : event.before} → ${event.after}`
    case 'durability':
      return `snapshot ${event.snapshotId.slice(0, 8)}: ${event.before} → ${event.after}`
    case 'repair':
      return `repair: ${event.before} → ${event.after}`
    case 'operation': {
      const { kind, actor, subject, result, detail, snapshotId } = event.operation
      const snapshot = snapshotId.slice(0, 8)
      const parts = [kind, subject, subject === snapshot ? '' : snapshot, actor === '' ? '' : `by ${actor}`]
      const why = detail === '' ? '' : ` (${detail})`
      return `${parts.filter((part) => part !== '').join(' ')}${result === 'ok' ? '' : `: ${result}`}${why}`
    }
  }
}
