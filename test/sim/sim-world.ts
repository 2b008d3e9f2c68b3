import { Client } from '../../src/client/client.ts'
import type { ManagerApi } from '../../src/client/manager-api.ts'
import type { BackupSummary } from '../../src/client/backup-request.ts'
import type { RestoreSummary } from '../../src/client/restore-request.ts'
import type { Disk } from '../../src/core/disk.ts'
import { isTwofoldError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import { randomHexId } from '../../src/core/ids.ts'
import type { ChunkId, SessionId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { persistently } from '../../src/core/persistently.ts'
import type { Random } from '../../src/core/random.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import { Manager } from '../../src/manager/manager.ts'
import { heldNameRetryMs } from '../../src/node/heartbeat-worker.ts'
import type { RoomSizes } from '../../src/node/node-room.ts'
import type { ScrubTiming } from '../../src/node/scrub-worker.ts'
import type { ManagerTiming } from '../../src/manager/timing.ts'
import type { MemorySource } from '../support/memory-source.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { openNode } from '../support/test-node.ts'
import { linkedCatalogue, SimCatalogues } from './sim-catalogue.ts'
import { SimDisk } from './sim-disk.ts'
import type { SimDiskOptions } from './sim-disk.ts'
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
  readonly scrub?: ScrubTiming
  /** How long packs get, in bytes. */
  readonly packBytes?: number
  /** Called before every operation of a node's disk; what it throws is the operation's failure. */
  readonly onDisk?: (node: string, operation: string, path: string) => void
  /** Gets the lines of the trace, to read them. */
  readonly onTrace?: (line: string) => void
  /** Called when a client hears which chunks are there, in its session. */
  readonly onFound?: (session: SessionId, found: readonly ChunkId[]) => void
}

export interface SimNode {
  readonly name: string
  readonly address: string
  readonly disk: SimDisk
  /** What is on its own disk while that is not mounted, and something else in its place. */
  away?: ReadonlyMap<string, Uint8Array> | undefined
  process: SimProcess
}

/** Where a process of a node runs. */
type Place = Pick<SimNode, 'name' | 'address'> & { readonly disk: Disk }

/** A node does not start on a disk that is bad, or that is not its own; somebody does something about that. */
const unbootable: readonly ErrorCode[] = [
  'io',
  'no-room',
  'failed-precondition',
  'integrity',
  'not-found',
  'already-exists',
]

/**
 * A whole cluster in one process: the real manager, nodes and clients on virtual time, a seeded network and simulated
 * disks. The same seed gives the same run, to the last message.
 */
export class SimWorld {
  readonly scheduler = new SimScheduler()
  readonly trace: SimTrace
  readonly network: SimNetwork
  readonly nodes: SimNode[] = []
  readonly catalogues = new SimCatalogues()
  /** By how much the wall clocks of machines are wrong, in milliseconds. */
  readonly #wallShifts = new Map<string, number>()
  /** Second processes on the stores of nodes. */
  readonly #twins = new Map<string, SimProcess>()
  readonly #options: SimWorldOptions
  #manager: SimProcess
  #clients = 0
  #catalogueLostShare = 0
  #catalogueSlowShare = 0

  private constructor(options: SimWorldOptions) {
    this.#options = options
    this.trace = new SimTrace(options.onTrace)
    const { scheduler, trace } = this
    const random = this.random('network')
    this.network = new SimNetwork({ scheduler, trace, random })
    this.#manager = this.#process('manager')
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
    const before = this.#diskOf(name, random, () => this.node(name).process)
    return new SimDisk({ random, capacityBytes: 1e9, before })
  }

  /** What happens before every operation that `process` has on the disk of this node. */
  #diskOf(name: string, random: Random, process: () => SimProcess): SimDiskOptions['before'] {
    return async (operation, path) => {
      this.trace.add(this.scheduler.nowMs, `${process().name} disk ${operation} ${path}`)
      const slow = operation === 'sync' || operation === 'syncDirectory' ? 8 : 0.5
      await process().alive(this.scheduler.delay(random.fraction() * slow))
      this.#options.onDisk?.(name, operation, path)
    }
  }

  node(name: string): SimNode {
    const node = this.nodes.find((other) => other.name === name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  #record(what: string): void {
    this.trace.add(this.scheduler.nowMs, what)
  }

  /** Something that happens in the world, for whoever reads the trace. */
  note(what: string): void {
    this.#record(what)
  }

  #process(name: string): SimProcess {
    return new SimProcess(name, this.scheduler, () => this.#wallShifts.get(name) ?? 0)
  }

  /** From now on the wall clock of a machine is wrong by so much. */
  setWallClock(name: string, shiftMs: number): void {
    this.#record(`the wall clock of ${name} is wrong by ${shiftMs} ms`)
    this.#wallShifts.set(name, shiftMs)
  }

  get manager(): SimProcess {
    return this.#manager
  }

  /** The catalogue that is in use. */
  get catalogue(): Catalogue {
    return this.catalogues.now
  }

  /** A process that takes the manager's place, which is killed. */
  replaceManager(): SimProcess {
    this.#manager.kill()
    this.#manager = this.#process('manager')
    return this.#manager
  }

  async startManager(): Promise<void> {
    const process = this.#process('manager')
    this.#manager = process
    this.#record('manager starts')
    const { scheduler } = this
    const random = this.random(`manager ${this.trace.count}`)
    const lostShare = (): number => this.#catalogueLostShare
    const slowShare = (): number => this.#catalogueSlowShare
    const catalogue = linkedCatalogue({
      ...{ catalogue: this.catalogue, process, scheduler, lostShare, slowShare },
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
    this.nodes.push({ name, address: `${name}:1`, disk, process: this.#process(name) })
    return this.startNode(name)
  }

  /** Starts a node on its disk; it comes up by itself while time passes. */
  async startNode(name: string): Promise<void> {
    const node = this.node(name)
    const process = this.#process(name)
    node.process = process
    this.#record(`${name} starts`)
    try {
      await this.#boot(node, process)
    } catch (error) {
      if (!isTwofoldError(error, ...unbootable)) throw error
      this.#ended(node, process, error)
    }
  }

  /**
   * Starts a second process on the same store, as if its lock did not work there. It has an address of its own, and
   * nobody starts it again, but that it waits for the other one to end.
   */
  async startTwin(name: string): Promise<void> {
    const node = this.node(name)
    const process = this.#process(`${name}-twin`)
    this.#record(`${name} has a twin`)
    this.killTwin(name)
    this.#twins.set(name, process)
    const random = this.random(`${name} twin ${this.trace.count}`)
    const disk = node.disk.view(this.#diskOf(name, random, () => process))
    try {
      await this.#boot({ ...node, disk, address: `${name}:2` }, process)
    } catch (error) {
      if (!isTwofoldError(error, ...unbootable)) throw error
      this.#ended(node, process, error)
    }
  }

  killTwin(name: string): void {
    this.#twins.get(name)?.kill()
    this.#twins.delete(name)
  }

  /** A process that cannot go on is started again a little later; one that must wait opens its store again itself. */
  #ended(node: SimNode, process: SimProcess, error: unknown): void {
    const { name } = node
    this.#record(`${name} ends: ${String(error)}`)
    process.kill()
    const waitMs = heldNameRetryMs(error)
    this.scheduler.after(waitMs ?? 1000, () => {
      if (node.process === process) void this.startNode(name)
      else if (waitMs !== undefined && this.#twins.get(name) === process) void this.startTwin(name)
    })
  }

  async #boot(target: Place, process: SimProcess): Promise<void> {
    const { name, address, disk } = target
    const { node, heartbeat, scrub } = await openNode({
      name,
      address,
      capacityBytes: 1e9,
      disk,
      room: this.#options.room,
      ...(this.#options.scrub === undefined ? {} : { scrub: this.#options.scrub }),
      clock: process.clock(),
      random: this.random(`${name} ${this.trace.count}`),
      manager: this.network.managerFor(process),
      peers: this.network.peersFor(process),
    })
    this.network.serveNode(address, { process, api: node })
    heartbeat.run(new AbortController().signal).catch((error: unknown) => this.#ended(this.node(name), process, error))
    void scrub.run(new AbortController().signal)
  }

  /** The process dies, and with the power what the disk had not synced. */
  crashNode(name: string): void {
    this.#record(`${name} crashes`)
    const node = this.node(name)
    node.process.kill()
    this.killTwin(name)
    node.disk.crash()
  }

  /** From now on messages get lost and late, and answers of the catalogue get lost, and late as well. */
  misbehave(network: Partial<NetworkFaults>, catalogueLostShare = 0, catalogueSlowShare = 0): void {
    this.network.misbehave({ ...noNetworkFaults, ...network })
    this.#catalogueLostShare = catalogueLostShare
    this.#catalogueSlowShare = catalogueSlowShare
  }

  /** Nothing gets lost any more: on the network, and on the way to the catalogue. */
  heal(): void {
    this.network.heal()
    this.#catalogueLostShare = 0
    this.#catalogueSlowShare = 0
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
    const process = this.#process(name)
    const random = this.random(name)
    const { packBytes } = this.#options
    const client = new Client({
      manager: this.#heard(this.network.managerFor(process)),
      admin: this.network.adminFor(process),
      nodeAdmin: this.network.adminFor(process),
      schedules: this.network.schedulesFor(process),
      agents: this.network.schedulesFor(process),
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

  #heard(manager: ManagerApi): ManagerApi {
    const { onFound } = this.#options
    if (onFound === undefined) return manager
    return {
      ...manager,
      lookupChunks: async (ref, ids, options) => {
        const there = await manager.lookupChunks(ref, ids, options)
        const found = ids.filter((_, index) => there[index])
        onFound(ref.sessionId, found)
        return there
      },
    }
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
    await this.catalogues.close()
  }
}
