import type { Command } from 'commander'
import type { ClusterStatus } from '../../core/model.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { formatAgo, formatBytes, formatCount, plural } from '../human-format.ts'
import { jsonTimeMs } from '../json-time.ts'
import { safetyLines, safetyRecord } from '../safety-text.ts'
import { withClient } from '../with-client.ts'
import { nodeRecord, nodeTable } from './nodes.ts'

export function defineStatus(command: Command, cli: Cli): void {
  addClusterOptions(command)
  addHelp(command, {
    examples: ['twofold status', 'twofold status --json'],
    notes: ['It exits with 0 whenever the cluster answers; "well" in the JSON says how it is.'],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<ClusterOptions>(command, cli, (run) =>
    withClient(run, async (client) => {
      const status = await client.status({ signal: cli.signal })
      await run.output.record(statusRecord(status))
      await run.output.lines(statusLines(status, cli.clock.nowMs()))
    }),
  )
}

function isWell(status: ClusterStatus): boolean {
  const allUp = status.nodes.every(({ state, writable }) => state === 'removed' || (state === 'up' && writable))
  return (
    allUp &&
    status.lineage === 'verified' &&
    !status.safeMode &&
    status.packsDegraded === 0 &&
    status.packsUnavailable === 0
  )
}

function statusRecord(status: ClusterStatus): object {
  return {
    message_type: 'status',
    well: isWell(status),
    cluster_id: status.clusterId,
    epoch: status.epoch,
    safe_mode: status.safeMode,
    lineage: status.lineage,
    ...(status.lineageProblem === '' ? {} : { lineage_problem: status.lineageProblem }),
    snapshots: status.snapshots,
    ...safetyRecord(status.safety),
    packs: status.packs,
    packs_degraded: status.packsDegraded,
    packs_unavailable: status.packsUnavailable,
    chunks: status.chunks,
    stored_bytes: status.storedBytes,
    sessions_open: status.sessionsOpen,
    last_backup: status.lastBackupMs === 0 ? null : jsonTimeMs(status.lastBackupMs),
    program_version: status.programVersion,
    nodes: status.nodes.map(nodeRecord),
  }
}

function lineageLines({ lineage, lineageProblem }: ClusterStatus): string[] {
  if (lineage === 'verified') return lineageProblem === '' ? [] : [`After its recovery: ${lineageProblem}.`]
  if (lineage === 'unverified') return [`Whether the catalogue is the newest is not known yet: ${lineageProblem}.`]
  return [
    `The manager's catalogue is an older copy: ${lineageProblem}.`,
    'Nothing is changed or deleted, restores work. Stop the manager and make the catalogue again from the nodes:',
    '  twofold manager recover --from-nodes --data FOLDER --listen HOST:PORT',
  ]
}

function statusLines(status: ClusterStatus, nowMs: number): string[] {
  const up = status.nodes.filter(({ state }) => state === 'up').length
  const short = `${formatCount(status.packsDegraded)} with too few copies`
  const lost = `${formatCount(status.packsUnavailable)} without any`
  return [
    isWell(status) ? 'The cluster is well.' : 'The cluster needs attention.',
    ...(status.safeMode ? ['It is in safe mode: nothing is repaired or deleted until the nodes have reported.'] : []),
    ...lineageLines(status),
    `Nodes:        ${up} of ${status.nodes.length} up`,
    `Snapshots:    ${formatCount(status.snapshots)}, the last one ${formatAgo(status.lastBackupMs, nowMs)}`,
    ...safetyLines(status.safety, nowMs),
    `Data:         ${formatBytes(status.storedBytes)} stored, ${plural(status.packs, 'pack')}, ${short}, ${lost}`,
    `Running now:  ${plural(status.sessionsOpen, 'backup')}`,
    '',
    ...nodeTable(status.nodes, nowMs),
  ]
}
