import { Client } from '../../src/client/client.ts'
import type { BackupSummary } from '../../src/client/backup-request.ts'
import type { RestoreSummary } from '../../src/client/restore-request.ts'
import { randomHexId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { persistently } from '../../src/core/persistently.ts'
import type { Random } from '../../src/core/random.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import { Manager } from '../../src/manager/manager.ts'
import type { MemorySource } from '../support/memory-source.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { openNode } from '../support/test-node.ts'
import { SimDisk } from './sim-disk.ts'
import { SimNetwork } from './sim-network.ts'
import { SimProcess } from './sim-process.ts'
import { SimScheduler } from './sim-scheduler.ts'
import { SimTrace } from './sim-trace.ts'

export interface SimWorldOptions {
  readonly seed: number
  readonly nodes?: number
  readonly lossShare?: number
  /** Keep the lines of the trace, to read them. */
  readonly keepTrace?: boolean
}

interface SimNode {
  readonly name: string
  readonly address: string
  readonly disk: SimDisk
  process: SimProcess
}

/**
 * A whole cluster in one process: the real manager, nodes and clients on virtual time, a seeded network and simulated
 * disks. The same seed gives the same run, to the last message.
 */
export class SimWorld {
  readonly scheduler = new SimScheduler()
  readonly trace: SimTrace
  readonly network: SimNetwork
  readonly nodes: SimNode[] = []
  readonly #options: SimWorldOptions
  readonly #catalogue: Catalogue = openSqliteCatalogue(':memory:')
  #manager: SimProcess
  #clients = 0

  private constructor(options: SimWorldOptions) {
    this.#options = options
    this.trace = new SimTrace({ keep: options.keepTrace ?? false })
    const { scheduler, trace } = this
    const random = this.random('network')
    this.network = new SimNetwork({ scheduler, trace, random, lossShare: options.lossShare ?? 0 })
    this.#manager = new SimProcess('manager', scheduler)
  }

  static async start(options: SimWorldOptions): Promise<SimWorld> {
    const world = new SimWorld(options)
    await world.startManager()
    for (let index = 1; index <= (options.nodes ?? 3); index++) {
      const name = `n${index}`
      const disk = world.#disk(name)
      const node = { name, address: `${name}:1`, disk, process: new SimProcess(name, world.scheduler) }
      world.nodes.push(node)
      await world.scheduler.run(world.startNode(name))
    }
    await world.untilUp(world.nodes.length)
    return world
  }

  /** A stream of chance of its own for every part of the world, so that one does not disturb the other. */
  random(name: string): Random {
    let hash = this.#options.seed * 2_654_435_761
    for (const character of name) hash = (Math.imul(hash ^ character.charCodeAt(0), 16_777_619) >>> 0) + 1
    return new SeededRandom(hash)
  }

  #disk(name: string): SimDisk {
    const random = this.random(`disk ${name}`)
    return new SimDisk({
      random,
      capacityBytes: 1e9,
      before: async (operation, path) => {
        this.trace.add(this.scheduler.nowMs, `${name} disk ${operation} ${path}`)
        const slow = operation === 'sync' || operation === 'syncDirectory' ? 8 : 0.5
        const { process } = this.node(name)
        await process.alive(this.scheduler.delay(random.fraction() * slow))
      },
    })
  }

  node(name: string): SimNode {
    const node = this.nodes.find((other) => other.name === name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  #record(what: string): void {
    this.trace.add(this.scheduler.nowMs, what)
  }

  async startManager(): Promise<void> {
    const process = new SimProcess('manager', this.scheduler)
    this.#manager = process
    this.#record('manager starts')
    const clock = process.clock()
    const random = this.random(`manager ${this.trace.count}`)
    const manager = await Manager.open({ catalogue: this.#catalogue, clock, random, logger: silentLogger })
    this.network.serveManager({ process, api: manager })
    void manager.run(new AbortController().signal)
  }

  crashManager(): void {
    this.#record('manager crashes')
    this.#manager.kill()
  }

  /** Starts a node on its disk; it comes up by itself while time passes. */
  startNode(name: string): Promise<void> {
    const node = this.node(name)
    const process = new SimProcess(name, this.scheduler)
    node.process = process
    this.#record(`${name} starts`)
    return this.#boot(node, process)
  }

  async #boot({ name, address, disk }: SimNode, process: SimProcess): Promise<void> {
    const { node, heartbeat, scrub } = await openNode({
      name,
      address,
      capacityBytes: 1e9,
      disk,
      clock: process.clock(),
      random: this.random(`${name} ${this.trace.count}`),
      manager: this.network.managerFor(process),
      peers: this.network.peersFor(process),
    })
    this.network.serveNode(address, { process, api: node })
    void heartbeat.run(new AbortController().signal)
    void scrub.run(new AbortController().signal)
  }

  /** The process dies, and with the power what the disk had not synced. */
  crashNode(name: string): void {
    this.#record(`${name} crashes`)
    const node = this.node(name)
    node.process.kill()
    node.disk.crash()
  }

  /** Runs `work` at the first moment at which `condition` holds, looking once a millisecond. */
  when(condition: () => boolean, work: () => void): void {
    const look = (): void => {
      if (condition()) work()
      else this.scheduler.after(1, look)
    }
    look()
  }

  client(): { client: Client; process: SimProcess } {
    const name = `client${++this.#clients}`
    const process = new SimProcess(name, this.scheduler)
    const random = this.random(name)
    const client = new Client({
      manager: this.network.managerFor(process),
      admin: this.network.adminFor(process),
      storage: this.network.storageFor(process),
      clock: process.clock(),
      random,
      logger: silentLogger,
      codec: inlineCodec,
      clientId: randomHexId<string>(random),
      hostName: 'simulated',
      userName: 'user',
      program: 'simulation',
      close: () => undefined,
    })
    return { client, process }
  }

  backup(source: MemorySource, path = '/data'): Promise<BackupSummary> {
    return this.client().client.backup({ source, paths: [Buffer.from(path)] })
  }

  async restore(reference: string): Promise<{ target: MemoryTarget; summary: RestoreSummary }> {
    const target = new MemoryTarget()
    const summary = await this.client().client.restore({ reference, target })
    return { target, summary }
  }

  /** Lets time pass until that many nodes are up. */
  async untilUp(count: number): Promise<void> {
    const { client, process } = this.client()
    const wait = async (): Promise<void> => {
      for (;;) {
        const nodes = await persistently(() => client.nodes(), {
          clock: process.clock(),
          random: this.random(process.name),
        })
        if (nodes.filter((node) => node.state === 'up').length >= count) return
        await this.scheduler.delay(100)
      }
    }
    await this.scheduler.run(wait(), 120_000)
  }

  async close(): Promise<void> {
    await this.#catalogue.close()
  }
}
