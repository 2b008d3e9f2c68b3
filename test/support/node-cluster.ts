import type { ClientDeps } from '../../src/client/client.ts'
import type { ManagerApi as ClientManagerApi } from '../../src/client/manager-api.ts'
import type { StorageApi } from '../../src/client/storage-api.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Disk } from '../../src/core/disk.ts'
import type { PackId, SnapshotId } from '../../src/core/ids.ts'
import { heartbeatIntervalMs } from '../../src/core/limits.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { CommitPackRequest } from '../../src/core/messages.ts'
import type { ReadRequest, ReadSlice, UploadHeader, UploadResult } from '../../src/core/storage-messages.ts'
import type { CallOptions, NodeRef, PackEntry, RecordKind, Snapshot } from '../../src/core/model.ts'
import type { Random } from '../../src/core/random.ts'
import { readTicketUnchecked } from '../../src/format/tickets.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import type { Catalogue } from '../../src/manager/catalogue.ts'
import { Manager } from '../../src/manager/manager.ts'
import type { ManagerTiming } from '../../src/manager/timing.ts'
import type { ManagerApi as NodeManagerApi } from '../../src/node/manager-api.ts'
import type { PeerApi } from '../../src/node/peer-api.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { adminPort } from './admin-port.ts'
import { schedulePort } from './schedule-port.ts'
import { managerPort } from './manager-port.ts'
import { SeededRandom } from './seeded-random.ts'
import { TestNode } from './test-node.ts'
import type { NodeOptions } from './test-node.ts'

/** Where a test steps in. Each may throw, and what it waits for takes time. */
export interface ClusterFaults {
  /** Before a call of the manager; throwing means that it never heard of it. */
  before?: (call: string) => void | Promise<void>
  /** After a call took effect; throwing means that its answer was lost. */
  after?: (call: string) => void | Promise<void>
  /** For each slice of a client's upload that is about to arrive. */
  onSlice?: (node: NodeRef, packId: PackId, index: number) => void | Promise<void>
  /** After an upload was done, before the client hears of it. */
  onUploaded?: (node: NodeRef, packId: PackId) => void | Promise<void>
  /** When a client asks a node to record a commit. */
  onWitness?: (node: NodeRef) => void | Promise<void>
  /** For each slice that a node sends to a client. */
  onRead?: (node: NodeRef, packId: PackId) => void | Promise<void>
}

export interface ClusterOptions {
  readonly clock: Clock
  readonly random?: Random
  readonly timing?: Partial<ManagerTiming>
  readonly catalogue?: Catalogue
  /** The disk of a node; one in memory unless a test needs another. */
  readonly disk?: (name: string) => Promise<Disk>
  /** Of each node. */
  readonly intake?: NodeOptions['intake']
  readonly room?: NodeOptions['room']
}

export interface CommittedPack {
  readonly packId: PackId
  /** What its primary found in it. */
  readonly entries: readonly PackEntry[]
}

const capacityBytes = 1e12

type ManagerPorts = 'manager' | 'admin' | 'nodeAdmin' | 'schedules' | 'agents'

/**
 * A real manager and real nodes in one process; only the network between them, and between them and a client, is a
 * function call. What goes on by itself in life, heartbeats and the manager's sweep, is made up for before whatever
 * depends on it, so that time may jump.
 */
export class NodeCluster {
  readonly clock: Clock
  readonly random: Random
  manager: Manager
  /** What nodes find in the manager's place while it is set. */
  recovery: Pick<NodeManagerApi, 'register' | 'heartbeat' | 'reportRecords'> | undefined
  readonly nodes: TestNode[] = []
  /** What the nodes committed, in that order. */
  readonly packs = new Map<PackId, CommittedPack>()
  /** What the manager told a client that it is committed. */
  readonly snapshots = new Map<SnapshotId, Snapshot>()
  /** The calls of clients, and those of nodes that belong to an upload. */
  readonly trace: string[] = []
  readonly #disk: (name: string) => Promise<Disk>
  readonly #sizes: Pick<NodeOptions, 'intake' | 'room'>
  faults: ClusterFaults = {}
  #beatAtMs = -Infinity
  #beating: Promise<void> | undefined

  private constructor(
    manager: Manager,
    options: Pick<Required<ClusterOptions>, 'clock' | 'random' | 'disk'> & {
      sizes: Pick<NodeOptions, 'intake' | 'room'>
    },
  ) {
    this.clock = options.clock
    this.random = options.random
    this.manager = manager
    this.#disk = options.disk
    this.#sizes = options.sizes
  }

  static async start(names: readonly string[], options: ClusterOptions): Promise<NodeCluster> {
    const { clock, timing = {}, random = new SeededRandom(7) } = options
    const before = (): Promise<void> => Promise.resolve()
    const { disk = () => Promise.resolve(new SimDisk({ random, capacityBytes, before })) } = options
    const catalogue = options.catalogue ?? openSqliteCatalogue(':memory:')
    const manager = await Manager.open({ catalogue, clock, random, logger: silentLogger, timing })
    const cluster = new NodeCluster(manager, {
      clock,
      random,
      disk,
      sizes: { intake: options.intake, room: options.room },
    })
    for (const name of names) await cluster.#addNode(name)
    await cluster.beatAll()
    return cluster
  }

  async #addNode(name: string): Promise<void> {
    const { clock, random } = this
    const address = `127.0.0.1:${7001 + this.nodes.length}`
    const ports = { clock, random, manager: this.#managerOfNode(), peers: this.#peers(), ...this.#sizes }
    this.nodes.push(await TestNode.open({ name, address, capacityBytes, disk: await this.#disk(name), ...ports }))
  }

  /** Where the disks are real. */
  async close(): Promise<void> {
    for (const node of this.nodes) await node.close()
  }

  /** Registers nodes that have not, then brings two heartbeats of each: orders with one, results with the next. */
  async beatAll(): Promise<void> {
    for (let round = 0; round < 3; round++) await this.#beatOnce()
  }

  async #beatOnce(): Promise<void> {
    const { signal } = new AbortController()
    for (const node of this.nodes) if (!node.dead) await node.heartbeat.beat(signal)
  }

  /**
   * What would have gone on by itself since the last call. A node's beat waits for uploads that it was ordered to break
   * off, so one of those must not wait for the beat: `signal` ends the wait.
   */
  async #catchUp(signal: AbortSignal | undefined): Promise<void> {
    if (this.clock.monotonicMs() - this.#beatAtMs >= heartbeatIntervalMs) {
      this.#beatAtMs = this.clock.monotonicMs()
      this.#beating = this.#beatOnce()
        .then(() => this.sweepAll())
        .finally(() => (this.#beating = undefined))
    }
    if (this.#beating === undefined) return
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    if (signal?.aborted === true) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
    await Promise.race([this.#beating, aborted])
  }

  /** What the manager does in the background, as long as there is more of it. */
  async sweepAll(): Promise<void> {
    while (await this.manager.sweep());
  }

  byRef(ref: NodeRef): TestNode {
    return this.node(ref.name)
  }

  node(name: string): TestNode {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new Error(`no node ${name}`)
    return found
  }

  /** From now on the node answers nobody. The manager notices when it has been silent for a while. */
  kill(name: string): void {
    this.node(name).kill()
  }

  /** The node can be reached again, and says so at once. */
  revive(name: string): void {
    this.node(name).revive()
    this.#beatAtMs = -Infinity
  }

  /** The nodes that can be reached and have the record's pack in their store. */
  holders(record: PackEntry): TestNode[] {
    const packId = this.#packOf(record)
    return this.nodes.filter((node) => !node.dead && node.store.stat(packId) !== undefined)
  }

  /** On a node's disk some bytes of a record change, `at` bytes after its beginning, and nobody is told. */
  async damage(record: PackEntry, node: TestNode, at: number, length = 1): Promise<void> {
    const start = record.offset + at
    await node.damage(this.#packOf(record), (bytes) => {
      for (let offset = start; offset < start + length; offset++) bytes[offset]! ^= 1
    })
  }

  #packOf(record: PackEntry): PackId {
    const found = [...this.packs.values()].find(({ entries }) => entries.includes(record))
    if (found === undefined) throw new Error('no pack has the record')
    return found.packId
  }

  /** The records of all packs, oldest pack first. */
  records(kind: RecordKind): PackEntry[] {
    return [...this.packs.values()].flatMap(({ entries }) => entries.filter((entry) => entry.kind === kind))
  }

  count(call: string): number {
    return this.trace.filter((line) => line === call || line.startsWith(`${call} `)).length
  }

  async #ask<T>(call: string, options: CallOptions | undefined, work: () => Promise<T>): Promise<T> {
    this.trace.push(call)
    await this.faults.before?.(call)
    await this.#catchUp(options?.signal)
    const answer = await work()
    await this.faults.after?.(call)
    return answer
  }

  #managerOfNode(): NodeManagerApi {
    return {
      ...managerPort((_, options, work) => work(this.manager, options)),
      register: (request, options) => (this.recovery ?? this.manager).register(request, options),
      heartbeat: (request, options) => (this.recovery ?? this.manager).heartbeat(request, options),
      reportRecords: (report, options) => this.#recovering().reportRecords(report, options),
      replaceReplica: (request, options) =>
        this.#ask('replaceReplica', options, () => this.manager.replaceReplica(request, options)),
      commitPack: (request, options) =>
        this.#ask('commitPack', options, async () => {
          await this.manager.commitPack(request, options)
          this.#committed(request)
        }),
    }
  }

  #recovering(): NonNullable<NodeCluster['recovery']> {
    if (this.recovery === undefined) throw new Error('no recovery is going on')
    return this.recovery
  }

  #committed({ ticket, entries }: CommitPackRequest): void {
    const { packId } = readTicketUnchecked(ticket)
    if (!this.packs.has(packId)) this.packs.set(packId, { packId, entries })
  }

  /** What a client is given. */
  get clientPorts(): Pick<ClientDeps, ManagerPorts | 'storage'> {
    const manager: ClientManagerApi = {
      ...managerPort((call, options, work) => this.#ask(call, options, () => work(this.manager, options))),
      commitSnapshot: (request, options) =>
        this.#ask('commitSnapshot', options, async () => {
          const snapshot = await this.manager.commitSnapshot(request, options)
          this.snapshots.set(snapshot.snapshotId, snapshot)
          return snapshot
        }),
    }
    const admin = adminPort((call, options, work) => this.#ask(call, options, () => work(this.manager, options)))
    const storage: StorageApi = {
      upload: (ref, header, slices, options) => this.#upload(this.byRef(ref), { header, slices, ...options }),
      read: (ref, request, options) => this.#read(this.byRef(ref), request, options?.signal),
      stat: async (ref, packId) => {
        this.byRef(ref).requireAlive()
        return this.byRef(ref).node.stat(packId)
      },
      verify: async (ref, packId, options) => {
        this.byRef(ref).requireAlive()
        return this.byRef(ref).node.verify(packId, options)
      },
      witness: async (ref, statement) => {
        this.byRef(ref).requireAlive()
        await this.faults.onWitness?.(ref)
        await this.byRef(ref).node.witness(statement)
      },
    }
    const schedules = schedulePort((call, options, work) => this.#ask(call, options, () => work(this.manager, options)))
    return { manager, admin, nodeAdmin: admin, schedules, agents: schedules, storage }
  }

  async #upload(
    target: TestNode,
    call: CallOptions & { header: UploadHeader; slices: AsyncIterable<Uint8Array> },
  ): Promise<UploadResult> {
    const { header, slices, signal } = call
    this.trace.push(`upload ${target.name} ${header.lengthBytes}`)
    await this.#catchUp(signal)
    target.requireAlive()
    const { packId } = readTicketUnchecked(header.ticket)
    const { faults } = this
    async function* arriving(): AsyncGenerator<Uint8Array> {
      let index = 0
      for await (const slice of slices) {
        await faults.onSlice?.(target.ref, packId, index++)
        yield slice
      }
    }
    const result = await target.node.upload(header, arriving(), { signal: target.signalFor(signal) })
    await faults.onUploaded?.(target.ref, packId)
    target.requireAlive()
    return result
  }

  async *#read(target: TestNode, request: ReadRequest, signal: AbortSignal | undefined): AsyncGenerator<ReadSlice> {
    this.trace.push(`read ${target.name}`)
    target.requireAlive()
    for await (const slice of target.node.read(request, { signal: target.signalFor(signal) })) {
      await this.faults.onRead?.(target.ref, request.packId)
      target.requireAlive()
      yield slice
    }
  }

  #peers(): PeerApi {
    return {
      replicate: async (peer, header, slices, options) => {
        const target = this.byRef(peer)
        await this.#catchUp(options?.signal)
        target.requireAlive()
        const signal = target.signalFor(options?.signal)
        const receipt = await target.node.replicate(header, observed(target, slices), { signal })
        target.requireAlive()
        return receipt
      },
    }
  }

  /** Every file of packs, as `node/path`; what a failed upload must leave empty. */
  async files(): Promise<string[]> {
    const found = await Promise.all(
      this.nodes.map(async (node) => (await node.files()).map((path) => `${node.name}/${path}`)),
    )
    return found.flat()
  }
}

async function* observed(target: TestNode, slices: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let offset = 0
  for await (const slice of slices) {
    target.requireAlive()
    target.onSlice?.(offset)
    yield slice
    offset += slice.length
  }
}
