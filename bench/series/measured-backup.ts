import { launcher } from '../cluster.ts'
import { measureCommand } from '../measure/measured-command.ts'
import type { CommandResult } from '../measure/measured-command.ts'
import type { Figures } from './figures.ts'
import type { Column } from './figures.ts'
import { mostOfNodes } from './watched-cluster.ts'
import type { WatchedCluster } from './watched-cluster.ts'

/** Runs the command line on a cluster. @throws when it does not exit with 0, and when the signal is aborted */
export function runTwofold(
  watched: WatchedCluster,
  args: readonly string[],
  signal: AbortSignal,
): Promise<CommandResult> {
  return measureCommand({ file: launcher, arguments: args, environment: watched.cluster.environment }, signal)
}

/** What every measured backup tells of memory, and what it should be. */
export const memoryColumns: readonly Column[] = [
  { figure: 'clientPeakBytes', title: 'memory: client', unit: 'bytes', atMost: 250e6 },
  { figure: 'managerPeakBytes', title: 'manager', unit: 'bytes', atMost: 300e6 },
  { figure: 'nodePeakBytes', title: 'node', unit: 'bytes', atMost: 250e6 },
]

/** A backup of one folder or file: its time, and the memory of all. */
export async function measureBackup(watched: WatchedCluster, path: string, signal: AbortSignal): Promise<Figures> {
  const meter = await watched.meter()
  const { seconds, usage } = await runTwofold(watched, ['backup', path], signal)
  const servers = await meter.end()
  return {
    seconds,
    clientCpuSeconds: usage.cpuSeconds,
    clientPeakBytes: usage.peakRssBytes,
    managerPeakBytes: servers['manager']?.peakRssBytes,
    nodePeakBytes: mostOfNodes(servers, ({ peakRssBytes }) => peakRssBytes),
  }
}
