import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { Cluster } from '../../bench/cluster.ts'
import { FaultProxy } from './fault-proxy.ts'
import type { Cast } from './fault-script.ts'

export interface StageOptions {
  readonly directory: string
  readonly nodes: number
  readonly clients: number
  readonly seed: number
  /** Called with what anybody should know, one line each. */
  readonly say: (line: string) => void
}

const capacityBytes = 10_000_000_000
/** So that a node reads all its packs in the middle of everything else, too. */
const scrubPeriod = '20s'
/** Of the node whose disk can be filled: what a short run never needs, on top of what a node keeps free. */
const smallDiskBytes = 512 * 1024 ** 2
const clientsLink = 'clients-manager'
/** By which clients and other nodes reach a node. */
const dataLink = (node: string): string => `to-${node}`

/**
 * A cluster of real processes in which nobody reaches anybody but through a bad network: clients and nodes reach a node
 * at its proxy, each node has its own way to the manager, and the clients have theirs.
 */
export class Stage {
  readonly cluster: Cluster
  readonly cast: Cast
  readonly #proxies: ReadonlyMap<string, FaultProxy>
  readonly #capacities: Map<string, number>
  readonly #mounted: readonly string[]
  /** Processes that are meant to be down, or stopped, now. */
  readonly #down = new Set<string>()
  readonly #paused = new Set<string>()
  /** Processes that ended although nobody told them to, and how. */
  readonly deserters: string[] = []
  /** Packs that were damaged on a disk, and how. */
  readonly damaged: string[] = []

  private constructor(parts: {
    cluster: Cluster
    cast: Cast
    proxies: ReadonlyMap<string, FaultProxy>
    capacities: Map<string, number>
    mounted: readonly string[]
  }) {
    this.cluster = parts.cluster
    this.cast = parts.cast
    this.#proxies = parts.proxies
    this.#capacities = parts.capacities
    this.#mounted = parts.mounted
    for (const name of ['manager', ...this.cast.nodes]) this.#watch(name)
  }

  /** Resolves when everybody is up and can write. */
  static async start(options: StageOptions): Promise<Stage> {
    const { directory, say } = options
    const nodes = Array.from({ length: options.nodes }, (_, at) => `n${at + 1}`)
    const fillable = mountSmallDisk(join(directory, nodes.at(-1) ?? ''), say) ? nodes.slice(-1) : []
    const mounted = fillable.map((name) => join(directory, name))
    const proxies = new Map<string, FaultProxy>()
    try {
      const capacities = new Map(nodes.map((name) => [name, capacityBytes]))
      const cluster = await startCluster({ ...options, names: nodes, proxies, capacities })
      const clients = Array.from({ length: options.clients }, (_, at) => `c${at + 1}`)
      const controlLinks = [clientsLink, ...nodes.map((name) => `${name}-manager`)]
      const cast = { nodes, clients, dataLinks: nodes.map(dataLink), controlLinks, fillable }
      return new Stage({ cluster, cast, proxies, capacities, mounted })
    } catch (error) {
      for (const proxy of proxies.values()) await proxy.stop()
      unmount(mounted)
      throw error
    }
  }

  /** Where clients find the manager. */
  get clientEnvironment(): Readonly<Record<string, string>> {
    return { TWOFOLD_MANAGER: this.proxy(clientsLink).address }
  }

  get servers(): string[] {
    return ['manager', ...this.cast.nodes]
  }

  proxy(link: string): FaultProxy {
    const proxy = this.#proxies.get(link)
    if (proxy === undefined) throw new Error(`there is no link ${link}`)
    return proxy
  }

  async kill(name: string, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    this.#down.add(name)
    await this.cluster.end(name, signal)
  }

  async start(name: string): Promise<void> {
    if (this.cluster.isStarted(name)) return
    await this.cluster.startProcess(name)
    this.#down.delete(name)
    this.#watch(name)
  }

  pause(name: string): void {
    this.#paused.add(name)
    process.kill(this.cluster.pid(name), 'SIGSTOP')
  }

  resume(name: string): void {
    if (this.#paused.delete(name)) process.kill(this.cluster.pid(name), 'SIGCONT')
  }

  /** Takes effect when the node starts. */
  setCapacity(name: string, bytes: number | undefined): void {
    this.#capacities.set(name, bytes ?? capacityBytes)
  }

  /** Fills the disk of a node until only so many bytes are left. */
  fillDisk(name: string, leftBytes: number): void {
    const { bavail, bsize } = fs.statfsSync(this.cluster.dataDirectory(name))
    const piece = Buffer.alloc(1024 * 1024)
    const file = fs.openSync(this.#ballast(name), 'w')
    try {
      for (let left = bavail * bsize - leftBytes; left > 0; left -= piece.length) fs.writeSync(file, piece)
    } catch (error) {
      // The node writes, too, and may have got the last bytes.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      fs.closeSync(file)
    }
  }

  emptyDisk(name: string): void {
    fs.rmSync(this.#ballast(name), { force: true })
  }

  /** The end of all faults: a good network, room on every disk, every process running, nodes up and writable. */
  async heal(): Promise<void> {
    for (const proxy of this.#proxies.values()) proxy.heal()
    for (const name of this.#paused) this.resume(name)
    for (const name of this.cast.nodes) this.setCapacity(name, undefined)
    for (const name of this.cast.fillable) this.emptyDisk(name)
    for (const name of this.servers) await this.start(name)
    await this.cluster.waitForNodes(this.cast.nodes)
  }

  async stop(): Promise<void> {
    for (const name of this.servers) this.#down.add(name)
    await this.cluster.stop()
    for (const proxy of this.#proxies.values()) await proxy.stop()
    unmount(this.#mounted)
  }

  #ballast(name: string): string {
    return join(this.cluster.dataDirectory(name), 'ballast')
  }

  #watch(name: string): void {
    void this.cluster.untilEnded(name).then((how) => {
      if (!this.#down.has(name)) this.deserters.push(`${name} ended by itself: ${how}`)
    })
  }
}

interface ClusterParts extends StageOptions {
  readonly names: readonly string[]
  readonly proxies: Map<string, FaultProxy>
  readonly capacities: ReadonlyMap<string, number>
}

async function startCluster({ directory, names, seed, proxies, capacities }: ClusterParts): Promise<Cluster> {
  const cluster = await Cluster.start({
    directory,
    nodes: 0,
    managerOptions: ['--suspect-after', '1500ms', '--dead-after', '60s', '--session-lease', '15s'],
    nodeOptions: (name) => [
      ...['--manager', proxies.get(`${name}-manager`)?.address ?? ''],
      ...['--advertise', proxies.get(dataLink(name))?.address ?? '', '--capacity', String(capacities.get(name))],
      ...['--scrub-period', scrubPeriod],
    ],
  })
  try {
    const open = async (link: string, server: string): Promise<void> => {
      const upstream = (): string => cluster.address(server)
      proxies.set(link, await FaultProxy.start({ upstream, seed: seed + 2 * proxies.size }))
    }
    await open(clientsLink, 'manager')
    for (const name of names) {
      await open(`${name}-manager`, 'manager')
      await open(dataLink(name), name)
    }
    await Promise.all(names.map((name) => cluster.startProcess(name)))
    await cluster.waitForNodes(names)
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** @returns false where this user may not mount */
function mountSmallDisk(directory: string, say: (line: string) => void): boolean {
  fs.mkdirSync(directory, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${smallDiskBytes}`, 'twofold-chaos', directory], {
      stdio: 'pipe',
    })
    return true
  } catch {
    say('note: no disk is filled, because this user may not mount one; nodes only run out of --capacity')
    return false
  }
}

function unmount(directories: readonly string[]): void {
  for (const directory of directories) execFileSync('umount', ['--lazy', directory])
}
