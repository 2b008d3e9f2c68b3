import type { Command } from 'commander'
import { isWell } from '../../core/cluster-health.ts'
import type { ClusterStatus } from '../../core/model.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { alarmExitCode, parseAlarms, raised } from '../fail-on.ts'
import type { Alarm } from '../fail-on.ts'
import { formatAgo, formatBytes, formatCount, plural } from '../../core/human-format.ts'
import { jsonTimeMs } from '../json-time.ts'
import { safetyLines, safetyRecord } from '../safety-text.ts'
import { safeText } from '../../core/safe-text.ts'
import { summaryLines, summaryRecord } from '../schedule-text.ts'
import type { TableLayout } from '../table.ts'
import { withClient } from '../with-client.ts'
import { nodeRecord, nodeTable } from './nodes.ts'

export function defineStatus(command: Command, cli: Cli): void {
  addClusterOptions(command).option(
    '--fail-on <list>',
    'conditions, with commas, that a monitor is to hear of',
    parseAlarms,
  )
  addHelp(command, {
    examples: ['twofold status', 'twofold status --json', 'twofold status --fail-on degraded,lost,node-down,overdue'],
    notes: [
      'It exits with 0 whenever the cluster answers; "well" in the JSON says how it is. With --fail-on it exits with',
      '16 when lost is given and something has no copy left, else with 15 when degraded is given and something has too',
      'few, else with 17 when another condition that is given holds. Conditions:',
      ...alarmHelp,
    ],
    exitCodes: [0, 1, 10, 12, 15, 16, 17, 130],
  })
  addAction<Options>(command, cli, (run) =>
    withClient(run, async (client) => {
      const { signal } = cli
      const [status, schedules] = await Promise.all([client.status({ signal }), client.schedules.summary({ signal })])
      const nowMs = cli.clock.nowMs()
      const holding = raised(run.options.failOn ?? [], status, nowMs, schedules)
      await run.output.record({ ...statusRecord(status), schedules: summaryRecord(schedules), failed_on: holding })
      await run.output.lines([...statusLines(status, nowMs, run.output.layout), ...summaryLines(schedules)])
      for (const { name, reason } of holding) await run.output.line(`${name}: ${safeText(reason)}`)
      cli.setExitCode(alarmExitCode(holding))
    }),
  )
}

interface Options extends ClusterOptions {
  readonly failOn?: readonly Alarm[]
}

const alarmHelp = [
  '  lost              a snapshot or pack has no copy on a node that is not dead',
  '  degraded          a snapshot or pack has fewer copies than wanted',
  '  node-down         a node is silent, dead or has not come back',
  '  read-only         a node is there but does not accept writes',
  '  safe-mode         not all nodes have reported since the manager started',
  '  catalogue         the nodes do not confirm that the catalogue is the newest one',
  '  stale-proof:TIME  something was not read and found good for so long, for example 30d',
  '  no-backup:TIME    no backup was committed for so long, for example 26h',
  '  overdue           a schedule should have run some time ago and did not',
  '  failing           the last run of a schedule failed or was refused',
]

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
    packs_unknown: status.packsUnknown,
    copies_damaged: status.copiesDamaged,
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

function unknownLines({ packsUnknown, copiesDamaged }: ClusterStatus): string[] {
  const unknown = `Nodes have ${plural(packsUnknown, 'pack')} that the catalogue does not know: is it an old one?`
  const damaged = `${plural(copiesDamaged, 'copy', 'copies')} turned out to be damaged, and are kept until replaced.`
  return [...(packsUnknown > 0 ? [unknown] : []), ...(copiesDamaged > 0 ? [damaged] : [])]
}

function statusLines(status: ClusterStatus, nowMs: number, layout: TableLayout): string[] {
  const up = status.nodes.filter(({ state }) => state === 'up').length
  const short = `${formatCount(status.packsDegraded)} with too few copies`
  const lost = `${formatCount(status.packsUnavailable)} without any`
  return [
    isWell(status) ? 'The cluster is well.' : 'The cluster needs attention.',
    ...(status.safeMode ? ['It is in safe mode: nothing is repaired or deleted until the nodes have reported.'] : []),
    ...lineageLines(status),
    ...unknownLines(status),
    `Nodes:        ${up} of ${status.nodes.length} up`,
    `Snapshots:    ${formatCount(status.snapshots)}, the last one ${formatAgo(status.lastBackupMs, nowMs)}`,
    ...safetyLines(status.safety, nowMs),
    `Data:         ${formatBytes(status.storedBytes)} stored, ${plural(status.packs, 'pack')}, ${short}, ${lost}`,
    `Running now:  ${plural(status.sessionsOpen, 'backup')}`,
    '',
    ...nodeTable(status.nodes, nowMs, layout),
  ]
}
