import type { Command } from 'commander'
import type { NodeInfo } from '../../core/model.ts'
import type { Cli } from '../cli.ts'
import { addAction, addClusterOptions, addHelp } from '../command-setup.ts'
import type { ClusterOptions } from '../command-setup.ts'
import { formatAgo, formatBytes, formatCount } from '../../core/human-format.ts'
import { jsonTimeMs } from '../json-time.ts'
import type { Output } from '../output.ts'
import { safeText } from '../../core/safe-text.ts'
import { renderTable } from '../table.ts'
import type { TableLayout } from '../table.ts'
import { withClient } from '../with-client.ts'

export function defineNodes(command: Command, cli: Cli): void {
  addClusterOptions(command)
  addHelp(command, {
    examples: ['twofold nodes', 'twofold nodes --json', 'twofold nodes --manager backup.lan:7400'],
    exitCodes: [0, 1, 10, 12, 130],
  })
  addAction<ClusterOptions>(command, cli, (run) =>
    withClient(run, async (client) => {
      const nodes = await client.nodes({ signal: cli.signal })
      await run.output.record(nodes.map(nodeRecord))
      await run.output.lines(nodeTable(nodes, cli.clock.nowMs(), run.output.layout))
      await tellProblems(nodes, run.output)
    }),
  )
}

export function nodeRecord(info: NodeInfo): object {
  return {
    name: info.node.name,
    id: info.node.nodeId,
    address: info.node.address,
    failure_domain: info.node.failureDomain,
    state: info.state,
    writable: info.writable,
    capacity: info.capacityBytes,
    used: info.usedBytes,
    free: info.freeBytes,
    reserved: info.reservedBytes,
    packs: info.packs,
    uploads: info.uploads,
    last_heartbeat: info.lastHeartbeatMs === 0 ? null : jsonTimeMs(info.lastHeartbeatMs),
    problem: info.problem,
    program_version: info.programVersion,
  }
}

export function nodeTable(nodes: readonly NodeInfo[], nowMs: number, layout?: TableLayout): string[] {
  const right = 'right' as const
  return renderTable(
    [
      { title: 'Node', spare: 1 },
      { title: 'State' },
      { title: 'Address', spare: 3 },
      { title: 'Domain', spare: 4 },
      { title: 'Used', align: right },
      { title: 'Capacity', align: right },
      { title: 'Packs', align: right, spare: 5 },
      { title: 'Heard of', spare: 2 },
    ],
    nodes.map((info) => [
      safeText(info.node.name),
      info.writable || info.state !== 'up' ? info.state : `${info.state}, read-only`,
      safeText(info.node.address),
      info.node.failureDomain === '' ? 'own' : safeText(info.node.failureDomain),
      formatBytes(info.usedBytes),
      formatBytes(info.capacityBytes),
      formatCount(info.packs),
      formatAgo(info.lastHeartbeatMs, nowMs),
    ]),
    layout,
  )
}

async function tellProblems(nodes: readonly NodeInfo[], output: Output): Promise<void> {
  for (const { node, problem } of nodes) {
    if (problem !== '') await output.line(`${safeText(node.name)}: ${safeText(problem)}`)
  }
}
