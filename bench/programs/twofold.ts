import { join } from 'node:path'
import { Cluster, launcher } from '../cluster.ts'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement, Usage } from '../measure/measurement.ts'
import { readCpuTicks, readPeakRssBytes, resetPeakRss, secondsOfTicks } from '../measure/process-usage.ts'
import type { BackupProgram } from './backup-program.ts'
import { folderBytes } from './folder-bytes.ts'

const copies = 2

/** Twofold with a manager and three nodes, each a process of its own. */
export class Twofold implements BackupProgram {
  readonly name = 'twofold'
  readonly #cluster: Cluster
  readonly #servers: readonly string[]
  readonly #signal: AbortSignal

  private constructor(cluster: Cluster, signal: AbortSignal) {
    this.#cluster = cluster
    this.#servers = ['manager', ...cluster.nodeNames]
    this.#signal = signal
  }

  /** Starts an empty cluster. */
  static async start(directory: string, signal: AbortSignal): Promise<Twofold> {
    return new Twofold(await Cluster.start({ directory, capacity: '1TB' }), signal)
  }

  backup(source: string): Promise<Measurement> {
    return this.#measure(['backup', source])
  }

  restore(target: string): Promise<Measurement> {
    return this.#measure(['restore', 'latest', '--target', target])
  }

  restoredPath(source: string, target: string): string {
    return join(target, source)
  }

  close(): Promise<void> {
    return this.#cluster.stop()
  }

  async #measure(args: readonly string[]): Promise<Measurement> {
    const storedBefore = this.#storedBytes()
    const before = new Map(this.#servers.map((name) => [name, this.#cpuTicks(name)]))
    for (const name of this.#servers) resetPeakRss(this.#cluster.pid(name))
    const command = { file: launcher, arguments: args, environment: this.#cluster.environment }
    const { seconds, usage } = await measureCommand(command, this.#signal)
    const processes: Record<string, Usage> = { client: usage }
    for (const name of this.#servers) {
      processes[name] = {
        cpuSeconds: secondsOfTicks(this.#cpuTicks(name) - (before.get(name) ?? 0)),
        peakRssBytes: readPeakRssBytes(this.#cluster.pid(name)),
      }
    }
    return { seconds, storedBytes: this.#storedBytes() - storedBefore, processes }
  }

  #cpuTicks(name: string): number {
    return readCpuTicks(this.#cluster.pid(name)).own
  }

  /** The packs on the disks of all nodes, each counted once. */
  #storedBytes(): number {
    const onNodes = this.#cluster.nodeNames.map((name) => folderBytes(join(this.#cluster.dataDirectory(name), 'packs')))
    return onNodes.reduce((sum, bytes) => sum + bytes, 0) / copies
  }
}
