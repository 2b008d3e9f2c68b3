import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Cluster, launcher } from '../cluster.ts'
import { LoopDelays } from '../measure/loop-delays.ts'
import { measureCommand } from '../measure/measured-command.ts'
import type { Measurement } from '../measure/measurement.ts'
import { ServerMeter } from '../measure/server-meter.ts'
import type { BackupProgram } from './backup-program.ts'
import { folderBytes } from './folder-bytes.ts'

const copiesUnlessSet = 2
const nodeNames = ['n1', 'n2', 'n3']

/** Twofold with a manager and three nodes, each a process of its own. */
export class Twofold implements BackupProgram {
  readonly name: string
  readonly #cluster: Cluster
  readonly #copies: number
  readonly #delays: LoopDelays
  readonly #signal: AbortSignal

  private constructor(parts: { cluster: Cluster; copies: number; delays: LoopDelays; signal: AbortSignal }) {
    this.#cluster = parts.cluster
    this.#copies = parts.copies
    this.#delays = parts.delays
    this.#signal = parts.signal
    this.name = parts.copies === copiesUnlessSet ? 'twofold' : `twofold ${parts.copies} copy`
  }

  /** Starts an empty cluster that keeps so many copies. */
  static async start(directory: string, signal: AbortSignal, copies = copiesUnlessSet): Promise<Twofold> {
    const delays = new LoopDelays(join(directory, 'delays'))
    const serverEnvironment = delays.environment
    const cluster = await Cluster.start({ directory, capacity: '1TB', nodes: 0, serverEnvironment })
    try {
      if (copies !== copiesUnlessSet) {
        await cluster.end('manager')
        keepCopies(join(cluster.dataDirectory('manager'), 'catalogue.db'), copies)
        await cluster.startProcess('manager')
      }
      await Promise.all(nodeNames.map((name) => cluster.startProcess(name)))
      await cluster.waitForNodes(nodeNames)
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return new Twofold({ cluster, copies, delays, signal })
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
    const servers = Object.fromEntries(['manager', ...nodeNames].map((name) => [name, this.#cluster.pid(name)]))
    const meter = await ServerMeter.begin(servers, { delays: this.#delays })
    const command = { file: launcher, arguments: args, environment: this.#cluster.environment }
    const { seconds, usage } = await measureCommand(command, this.#signal)
    const processes = { client: usage, ...(await meter.end()) }
    return { seconds, storedBytes: this.#storedBytes() - storedBefore, processes }
  }

  /** The packs on the disks of all nodes, each counted once. */
  #storedBytes(): number {
    const onNodes = nodeNames.map((name) => folderBytes(join(this.#cluster.dataDirectory(name), 'packs')))
    return onNodes.reduce((sum, bytes) => sum + bytes, 0) / this.#copies
  }
}

/** Sets the copies of all vaults, for which there is no command yet. @param catalogue of a manager that does not run */
function keepCopies(catalogue: string, copies: number): void {
  const database = new DatabaseSync(catalogue)
  try {
    database.prepare('UPDATE vaults SET copies = ?, min_copies = ?').run(copies, copies)
  } finally {
    database.close()
  }
}
