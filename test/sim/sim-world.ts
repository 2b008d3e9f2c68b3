import { Client } from '../../src/client/client.ts'
import type { BackupSummary } from '../../src/client/backup-request.ts'
import type { RestoreSummary } from '../../src/client/restore-request.ts'
import { isTwofoldError } from '../../src/core/errors.ts'
import { randomHexId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { persistently } from '../../src/core/persistently.ts'
import type { Random } from '../../src/core/random.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import { Manager } from '../../src/manager/manager.ts'
import type { RoomSizes } from '../../src/node/node-room.ts'
import type { ManagerTiming } from '../../src/manager/timing.ts'
import type { MemorySource } from '../support/memory-source.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { openNode } from '../support/test-node.ts'
import { linkedCatalogue } from './sim-catalogue.ts'
import { SimDisk } from './sim-disk.ts'
import { noNetworkFaults, SimNetwork } from './sim-network.ts'
import type { NetworkFaults } from './sim-network.ts'
import { SimProcess } from './sim-process.ts'
import { SimScheduler } from './sim-scheduler.ts'
import { SimTrace } from './sim-trace.ts'

export interface SimWorldOptions {
  readonly seed: number
  readonly nodes?: number
  readonly timing?: Partial<ManagerTiming>
  readonly room?: RoomSizes
  /** How long packs get, in bytes. */
  readonly packBytes?: number
  /** Called before every operation of a node's disk; what it throws is the operation's failure. */
  readonly onDisk?: (node: string, operation: string, path: string) => void
  /** Gets the lines of the trace, to read them. */
  readonly onTrace?: (line: string) => void
}

export interface SimNode {
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
  readonly catalogue: Catalogue = openSqliteCatalogue(':memory:')
  readonly #options: SimWorldOptions
  #manager: SimProcess
  #clients = 0
  #catalogueLostShare = 0

  private constructor(options: SimWorldOptions) {
    this.#options = options
    this.trace = new SimTrace(options.onTrace)
    const { scheduler, trace } = this
    const random = this.random('network')
    this.network = new SimNetwork({ scheduler, trace, random })
    this.#manager = new SimProcess('manager', scheduler)
  }

  static async start(options: SimWorldOptions): Promise<SimWorld> {
    const world = new SimWorld(options)
    await world.scheduler.run(world.startManager())
    for (let index = 1; index <= (options.nodes ?? 3); index++) {
      await world.scheduler.run(world.addNode(`n${index}`))
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
        this.#options.onDisk?.(name, operation, path)
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

  get manager(): SimProcess {
    return this.#manager
  }

  async startManager(): Promise<void> {
    const process = new SimProcess('manager', this.scheduler)
    this.#manager = process
    this.#record('manager starts')
    const { scheduler } = this
    const random = this.random(`manager ${this.trace.count}`)
    const lostShare = (): number => this.#catalogueLostShare
    const catalogue = linkedCatalogue({
      ...{ catalogue: this.catalogue, process, scheduler, lostShare },
      random: this.random(`catalogue ${this.trace.count}`),
    })
    const ports = { catalogue, clock: process.clock(), random, logger: silentLogger }
    // A manager that cannot read its catalogue ends, and is started again.
    const manager = await persistently(() => Manager.open({ ...ports, timing: this.#options.timing ?? {} }), ports)
    this.network.serveManager({ process, api: manager })
    void manager.run(new AbortController().signal)
  }

  crashManager(): void {
    this.#record('manager crashes')
    this.#manager.kill()
  }

  /** A new node with an empty disk. */
  addNode(name: string): Promise<void> {
    const disk = this.#disk(name)
    this.nodes.push({ name, address: `${name}:1`, disk, process: new SimProcess(name, this.scheduler) })
    return this.startNode(name)
  }

  /** Starts a node on its disk; it comes up by itself while time passes. */
  async startNode(name: string): Promise<void> {
    const node = this.node(name)
    const process = new SimProcess(name, this.scheduler)
    node.process = process
    this.#record(`${name} starts`)
    try {
      await this.#boot(node, process)
    } catch (error) {
      if (!isTwofoldError(error, 'io', 'no-room')) throw error
      this.#ended(node, process, error)
    }
  }

  /** A process that cannot go on is started again a little later. */
  #ended(node: SimNode, process: SimProcess, error: unknown): void {
    this.#record(`${node.name} ends: ${String(error)}`)
    process.kill()
    this.scheduler.after(1000, () => {
      if (node.process === process) void this.startNode(node.name)
    })
  }

  async #boot(target: SimNode, process: SimProcess): Promise<void> {
    const { name, address, disk } = target
    const { node, heartbeat, scrub } = await openNode({
      name,
      address,
      capacityBytes: 1e9,
      disk,
      room: this.#options.room,
      clock: process.clock(),
      random: this.random(`${name} ${this.trace.count}`),
      manager: this.network.managerFor(process),
      peers: this.network.peersFor(process),
    })
    this.network.serveNode(address, { process, api: node })
    heartbeat.run(new AbortController().signal).catch((error: unknown) => this.#ended(target, process, error))
    void scrub.run(new AbortController().signal)
  }

  /** The process dies, and with the power what the disk had not synced. */
  crashNode(name: string): void {
    this.#record(`${name} crashes`)
    const node = this.node(name)
    node.process.kill()
    node.disk.crash()
  }

  /** From now on messages get lost and late, and answers of the catalogue get lost. */
  misbehave(network: Partial<NetworkFaults>, catalogueLostShare = 0): void {
    this.network.misbehave({ ...noNetworkFaults, ...network })
    this.#catalogueLostShare = catalogueLostShare
  }

  /** Nothing gets lost any more: on the network, and on the way to the catalogue. */
  heal(): void {
    this.network.heal()
    this.#catalogueLostShare = 0
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
    const { packBytes } = this.#options
    const client = new Client({
      manager: this.network.managerFor(process),
      admin: this.network.adminFor(process),
      nodeAdmin: this.network.adminFor(process),
      storage: this.network.storageFor(process),
      clock: process.clock(),
      random,
      logger: silentLogger,
      codec: inlineCodec,
      clientId: randomHexId<string>(random),
      hostName: 'simulated',
      userName: 'user',
      program: 'simulation',
      ...(packBytes === undefined ? {} : { packBytes }),
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
    await this.catalogue.close()
  }
}
