import { join } from 'node:path'
import { Cluster } from '../cluster.ts'
import type { ClusterOptions } from '../cluster.ts'
import { LoopDelays } from '../measure/loop-delays.ts'
import type { Usage } from '../measure/measurement.ts'
import { ServerMeter } from '../measure/server-meter.ts'

/** By name: `manager`, `n1`, … */
export type ServerUsages = Readonly<Record<string, Usage>>

/** A cluster whose servers are metered, the lateness of their event loops included. */
export class WatchedCluster {
  readonly cluster: Cluster
  readonly #delays: LoopDelays

  private constructor(cluster: Cluster, delays: LoopDelays) {
    this.cluster = cluster
    this.#delays = delays
  }

  /** @param options with a directory of its own */
  static async start(options: ClusterOptions & { readonly directory: string }): Promise<WatchedCluster> {
    const delays = new LoopDelays(join(options.directory, 'loop-delays'))
    return new WatchedCluster(await Cluster.start({ ...options, serverEnvironment: delays.environment }), delays)
  }

  /** Makes all figures start from here. @param without a node that will be gone at the end */
  meter(without?: string): Promise<ServerMeter> {
    const names = ['manager', ...this.cluster.nodeNames].filter((name) => name !== without)
    const pids = Object.fromEntries(names.map((name) => [name, this.cluster.pid(name)]))
    return ServerMeter.begin(pids, { delays: this.#delays })
  }

  stop(): Promise<void> {
    return this.cluster.stop()
  }
}

/** The highest of a figure of all nodes. */
export function mostOfNodes(usages: ServerUsages, figure: (usage: Usage) => number | undefined): number {
  const nodes = Object.entries(usages).filter(([name]) => name !== 'manager')
  return Math.max(0, ...nodes.map(([, usage]) => figure(usage) ?? 0))
}
