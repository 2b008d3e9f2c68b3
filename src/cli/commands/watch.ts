import type { Command } from 'commander'
import type { ClusterEvent, WatchedEvent } from '../../core/cluster-events.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { formatTime } from '../human-format.ts'
import { jsonTimeMs } from '../json-time.ts'
import { safeText } from '../safe-text.ts'
import { withClient } from '../with-client.ts'

interface Options extends ClusterOptions {
  readonly since?: string
}

export function defineWatch(command: Command, cli: Cli): void {
  addClusterOptions(command).option('--since <token>', 'go on after an event, by its "resume_token" in the JSON')
  addHelp(command, {
    examples: ['twofold watch', 'twofold watch --json | jq .'],
    notes: [
      'It tells what happens until it is interrupted: nodes that come and go, backups, what is forgotten, copies of',
      'snapshots that become fewer or more, damage, repair. It goes on after a restart of the manager.',
    ],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<Options>(command, cli, (run) =>
    withClient(run, async (client) => {
      for await (const watched of client.watch({ resumeToken: run.options.since }, { signal: cli.signal })) {
        if (watched.gap) await run.output.line('(some events before this are not known any more)')
        if (watched.event === undefined && !watched.gap) continue
        await run.output.record(eventRecord(watched))
        if (watched.event !== undefined) await run.output.line(eventText(watched.event))
      }
    }),
  )
}

export function eventRecord({ event, resumeToken, gap }: WatchedEvent): object {
  const common = { message_type: 'event', ...(gap ? { gap } : {}), resume_token: resumeToken }
  if (event === undefined) return common
  const { kind, timeMs } = event
  const head = { ...common, kind, time: jsonTimeMs(timeMs) }
  if (event.kind === 'operation') {
    const { kind: what, actor, subject, result, detail, snapshotId } = event.operation
    return { ...head, operation: what, actor, subject, result, detail, snapshot_id: snapshotId }
  }
  const { before, after } = event
  if (event.kind === 'node') return { ...head, node: event.node, before, after }
  return { ...head, ...(event.kind === 'durability' ? { snapshot_id: event.snapshotId } : {}), before, after }
}

/** `2026-03-01 14:05:09  node n1: up → suspect` */
export function eventText(event: ClusterEvent): string {
  return `${formatTime(event.timeMs)}  ${safeText(whatHappened(event))}`
}

function whatHappened(event: ClusterEvent): string {
  switch (event.kind) {
    case 'node':
      return `node ${event.node}: ${event.before === '' ? 'new' : event.before} → ${event.after}`
    case 'durability':
      return `snapshot ${event.snapshotId.slice(0, 8)}: ${event.before} → ${event.after}`
    case 'repair':
      return `repair: ${event.before} → ${event.after}`
    case 'operation': {
      const { kind, actor, subject, result, detail, snapshotId } = event.operation
      const parts = [kind, subject, snapshotId.slice(0, 8), actor === '' ? '' : `by ${actor}`, detail]
      return `${parts.filter((part) => part !== '').join(' ')}${result === 'ok' ? '' : `: ${result}`}`
    }
  }
}
