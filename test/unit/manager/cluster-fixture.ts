import { randomHexId, toHex } from '../../../src/core/ids.ts'
import type { ChunkId, Incarnation, NodeId, PackId, SnapshotId } from '../../../src/core/ids.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type {
  Allocation,
  Heartbeat,
  InventoryEntry,
  InventoryReport,
  LogReport,
  OrderResult,
  RegisterRequest,
  Registration,
  Session,
} from '../../../src/core/messages.ts'
import type { PackEntry, Receipt, RecordKind, Ticket } from '../../../src/core/model.ts'
import { toggleCopy } from '../../../src/format/copy-digest.ts'
import { blake3 } from '../../../src/format/hash.ts'
import { emptyStats, encodeManifest } from '../../../src/format/manifest.ts'
import type { Manifest } from '../../../src/format/manifest.ts'
import { createSigner } from '../../../src/format/signing.ts'
import type { Signer } from '../../../src/format/signing.ts'
import { readTicketUnchecked, signReceipt } from '../../../src/format/tickets.ts'
import type { Catalogue } from '../../../src/manager/catalogue.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import { Manager } from '../../../src/manager/manager.ts'
import type { RepairWatch } from '../../../src/manager/repair-watch.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const GiB = 1024 ** 3

/** A storage node as far as the manager can tell: it signs, registers and reports. */
export class PaperNode {
  readonly signer: Signer
  readonly cluster: PaperCluster
  readonly request: RegisterRequest
  registration: Registration | undefined
  /** The present life of its store. */
  incarnation: Incarnation
  putSequence = 0
  /** What it holds, on paper. */
  readonly holdings = new Map<PackId, InventoryEntry>()
  #reports = 0
  #sequence = 0
  #report: LogReport = {}

  constructor(cluster: PaperCluster, request: Partial<RegisterRequest> & { name: string }) {
    const { random } = cluster
    this.cluster = cluster
    this.signer = createSigner(random.bytes(32))
    const { name, ...rest } = request
    this.request = {
      node: {
        nodeId: randomHexId<NodeId>(random),
        incarnation: randomHexId<Incarnation>(random),
        name,
        address: `${name}.test:7401`,
        failureDomain: '',
      },
      bootId: randomHexId(random),
      capacityBytes: 100 * GiB,
      usedBytes: 0,
      publicKey: this.signer.publicKey,
      putSequence: 0,
      clusterId: undefined,
      programVersion: 'test',
      ...rest,
    }
    this.incarnation = this.request.node.incarnation
  }

  get id(): NodeId {
    return this.request.node.nodeId
  }

  async register(more: Partial<RegisterRequest> = {}): Promise<Registration> {
    const node = { ...this.request.node, incarnation: this.incarnation }
    const before = this.registration?.registrationNumber
    this.registration = await this.cluster.manager.register({ ...this.request, node, ...this.#report, ...more })
    if (before !== this.registration.registrationNumber) this.#reports = 0
    return this.registration
  }

  /** Its log is empty, as if its store had been formatted. */
  forgetLog(): void {
    this.#report = {}
  }

  /** What it says of the manager's log; kept up to date by the answers to its heartbeats. */
  get log(): LogReport {
    return this.#report
  }

  async heartbeat(more: Partial<Heartbeat> = {}): ReturnType<Manager['heartbeat']> {
    this.#sequence += 1
    const reply = await this.cluster.manager.heartbeat({
      nodeId: this.id,
      incarnation: this.incarnation,
      registrationNumber: this.registration?.registrationNumber ?? 0,
      sequence: this.#sequence,
      capacityBytes: 100 * GiB,
      usedBytes: 0,
      freeBytes: 100 * GiB,
      packs: 0,
      putSequence: this.putSequence,
      inventoryDigest: this.digest,
      uploads: 0,
      writable: true,
      problem: '',
      results: [],
      damaged: [],
      proven: [],
      storeFailed: false,
      ...this.#report,
      ...more,
    })
    const { logHead, logEntries = [] } = reply
    const newest = logEntries.at(-1)
    if (logHead === undefined) return reply
    const { epoch, life } = logHead
    const log = newest === undefined ? this.#report.log : { epoch, life, ...newest }
    this.#report = { log, witnessed: logHead }
    return reply
  }

  get digest(): Uint8Array {
    let digest: Uint8Array = new Uint8Array(32)
    for (const { packId, putSequence } of this.holdings.values()) digest = toggleCopy(digest, packId, putSequence)
    return digest
  }

  /** Registers, and sends the list that it is asked for. */
  async join(more: Partial<RegisterRequest> = {}): Promise<void> {
    await this.register(more)
    await this.settle()
  }

  /** Heartbeats until it was not asked for a list. */
  async settle(): Promise<void> {
    for (let ids = await this.#asked([]); ids.length > 0;) {
      await this.reportInventory()
      ids = await this.#asked(ids)
    }
  }

  async #asked(answered: readonly string[]): Promise<string[]> {
    const results = answered.map((orderId) => resultOf(orderId))
    const { orders } = await this.heartbeat({ results })
    return orders.filter(({ action }) => action.kind === 'send-inventory').map(({ orderId }) => orderId)
  }

  /** Tells the manager what it holds. */
  reportInventory(more: Partial<InventoryReport> = {}): Promise<void> {
    this.#reports += 1
    return this.cluster.manager.reportInventory({
      nodeId: this.id,
      incarnation: this.incarnation,
      registrationNumber: this.registration?.registrationNumber ?? 0,
      reportNumber: this.#reports,
      asOfPutSequence: this.putSequence,
      packs: [...this.holdings.values()],
      ...more,
    })
  }

  /** Its word that it holds a pack of the ticket. */
  receipt(ticket: Ticket, digest: Uint8Array, more: Partial<Parameters<typeof signReceipt>[0]> = {}): Receipt {
    const claims = readTicketUnchecked(ticket)
    this.putSequence += 1
    const { packId, generation, lengthBytesMax: lengthBytes } = claims
    this.holdings.set(packId, { packId, generation, putSequence: this.putSequence, lengthBytes, provenAtMs: 0 })
    return signReceipt(
      {
        packId: claims.packId,
        nodeId: this.id,
        incarnation: this.incarnation,
        putSequence: this.putSequence,
        lengthBytes: claims.lengthBytesMax,
        digest,
        sessionId: claims.sessionId,
        durableAtMs: this.cluster.clock.nowMs(),
        ...more,
      },
      this.signer,
    )
  }
}

/** That an order was carried out. */
export function resultOf(orderId: string, more: Partial<OrderResult> = {}): OrderResult {
  return { orderId, done: true, problem: '', code: undefined, receipt: undefined, ...more }
}

export interface ClusterOptions {
  readonly path?: string
  readonly seed?: number
  readonly repair?: RepairWatch
  /** What a node may send for repair, in bytes a second; as much as it can unless given. */
  readonly repairBytesPerSecondMax?: number
}

/** A manager with nodes that exist on paper only. */
export class PaperCluster {
  readonly clock = new VirtualClock()
  readonly random: SeededRandom
  readonly nodes: PaperNode[] = []
  readonly #path: string
  readonly #repair: RepairWatch | undefined
  readonly #repairBytesPerSecondMax: number
  catalogue: Catalogue
  #manager: Manager | undefined
  #request = 0

  constructor(options: ClusterOptions = {}) {
    this.random = new SeededRandom(options.seed ?? 7)
    this.#path = options.path ?? ':memory:'
    this.#repair = options.repair
    this.#repairBytesPerSecondMax = options.repairBytesPerSecondMax ?? 0
    this.catalogue = openSqliteCatalogue(this.#path)
  }

  static async start(nodes: number, options: ClusterOptions = {}): Promise<PaperCluster> {
    const cluster = new PaperCluster(options)
    await cluster.open()
    for (let n = 1; n <= nodes; n++) await cluster.addNode({ name: `n${n}` })
    return cluster
  }

  get manager(): Manager {
    if (this.#manager === undefined) throw new Error('the manager was not opened')
    return this.#manager
  }

  async open(): Promise<void> {
    const { catalogue, clock, random } = this
    const repairWatch = this.#repair === undefined ? {} : { repairWatch: this.#repair }
    const repair = { ...repairWatch, repairBytesPerSecondMax: this.#repairBytesPerSecondMax }
    this.#manager = await Manager.open({ catalogue, clock, random, logger: silentLogger, ...repair })
  }

  /** The manager's process ends and another opens the same file; `between` may do something to it. */
  async restart(between: () => void = () => undefined): Promise<void> {
    await this.catalogue.close()
    between()
    this.catalogue = openSqliteCatalogue(this.#path)
    await this.open()
  }

  async addNode(request: Partial<RegisterRequest> & { name: string }): Promise<PaperNode> {
    const node = new PaperNode(this, request)
    await node.join()
    this.nodes.push(node)
    return node
  }

  async heartbeatAll(except: readonly PaperNode[] = []): Promise<void> {
    for (const node of this.nodes) if (!except.includes(node)) await node.heartbeat()
  }

  async settleAll(except: readonly PaperNode[] = []): Promise<void> {
    for (const node of this.nodes) if (!except.includes(node)) await node.settle()
  }

  node(id: NodeId): PaperNode {
    const node = this.nodes.find((other) => other.id === id)
    if (node === undefined) throw new Error(`no node ${id}`)
    return node
  }

  requestId(): string {
    this.#request += 1
    return `request-${this.#request}`
  }

  begin(more: Partial<Parameters<Manager['beginBackup']>[0]> = {}): Promise<Session> {
    return this.manager.beginBackup({
      clientId: 'c'.repeat(32),
      requestId: this.requestId(),
      vault: '',
      host: 'laptop',
      user: 'ada',
      paths: [Buffer.from('/home')],
      fileName: '',
      parent: '',
      noParent: false,
      ...more,
    })
  }

  allocate(session: Session, more: Partial<Parameters<Manager['allocatePack']>[0]> = {}): Promise<Allocation> {
    return this.manager.allocatePack({
      session,
      requestId: this.requestId(),
      lengthBytes: 100_000,
      excludeNodeIds: [],
      ...more,
    })
  }

  /** What the nodes of a pipeline sign for a pack. */
  receipts(allocation: Pick<Allocation, 'ticket'>): Receipt[] {
    const { primary, replicas, packId } = readTicketUnchecked(allocation.ticket)
    const digest = blake3(Buffer.from(packId))
    return [primary, ...replicas].map((ref) => this.node(ref.nodeId).receipt(allocation.ticket, digest))
  }

  /** Allocates a pack for these records and commits it. */
  async store(session: Session, entries: readonly PackEntry[]): Promise<Allocation> {
    const allocation = await this.allocate(session)
    const receipts = this.receipts(allocation)
    await this.manager.commitPack({ ticket: allocation.ticket, receipts, entries })
    return allocation
  }

  /** A whole backup whose root tree refers to data chunks of these names. Resolves with what to commit. */
  async upload(session: Session, names: readonly string[], more: Partial<Manifest> = {}): Promise<Draft> {
    const data = names.map((name) => chunk(name))
    const present = await this.manager.lookupChunks(
      session,
      data.map((entry) => entry.chunkId),
    )
    const missing = data.filter((_, index) => present[index] !== true)
    if (missing.length > 0) await this.store(session, missing)
    const tree = treeOf(data)
    const [known] = await this.manager.lookupChunks(session, [tree.chunkId])
    if (known !== true) await this.store(session, [tree])
    const manifest = encodeManifest(this.manifest(session, tree.chunkId, more))
    const snapshotId = toHex(blake3(manifest)) as SnapshotId
    const record = { ...entry(blake3(manifest) as ChunkId, 'snapshot'), refs: tree.chunkId }
    await this.store(session, [record])
    return { session, snapshotId, manifest }
  }

  manifest(session: Session, tree: ChunkId, more: Partial<Manifest> = {}): Manifest {
    return {
      version: 1,
      tree,
      host: 'laptop',
      user: 'ada',
      paths: [Buffer.from('/home')],
      tags: [],
      timeNs: 1n,
      parent: '',
      sessionId: session.sessionId,
      stats: emptyStats,
      program: 'test',
      fileName: '',
      vault: session.vault,
      excludes: [],
      ...more,
    }
  }

  /** A committed backup of data chunks of these names. */
  async backup(names: readonly string[], more: Partial<Manifest> = {}): ReturnType<Manager['commitSnapshot']> {
    const { fileName = '', host = 'laptop', paths = [Buffer.from('/home')] } = more
    const session = await this.begin({ fileName, host, paths })
    return this.manager.commitSnapshot(await this.upload(session, names, more))
  }
}

export interface Draft {
  readonly session: Session
  readonly snapshotId: SnapshotId
  readonly manifest: Uint8Array
}

function entry(chunkId: ChunkId, kind: RecordKind): PackEntry {
  return { chunkId, kind, offset: 0, length: 1000, plainLength: 2000, refs: new Uint8Array() }
}

/** A data record whose chunk is named after a text. */
export function chunk(name: string): PackEntry {
  return entry(blake3(Buffer.from(name)) as ChunkId, 'data')
}

/** A tree record that refers to these. */
export function treeOf(children: readonly PackEntry[]): PackEntry {
  const refs = Buffer.concat(children.map((child) => child.chunkId))
  return { ...entry(blake3(Buffer.concat([refs, Buffer.from('tree')])) as ChunkId, 'tree'), refs }
}

export const anyFilter = { vault: '', host: '', paths: [], tags: [] }
export const firstPage = { pageSize: 0, pageToken: '' }
