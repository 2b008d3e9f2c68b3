import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TwofoldError } from '../../src/core/errors.ts'
import { parseChunkId, randomHexId } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Allocation, ReplicateHeader, Session } from '../../src/core/messages.ts'
import type { CallOptions, NodeRef, Receipt } from '../../src/core/model.ts'
import { inlineCodec } from '../../src/format/codec.ts'
import { blake3 } from '../../src/format/hash.ts'
import { PackWriter } from '../../src/format/pack-writer.ts'
import { sealRecord } from '../../src/format/record.ts'
import { createSigner } from '../../src/format/signing.ts'
import { openSqliteCatalogue } from '../../src/manager/catalogue-sqlite.ts'
import { Manager } from '../../src/manager/manager.ts'
import { HeartbeatWorker } from '../../src/node/heartbeat-worker.ts'
import { openIdentity, saveIdentity } from '../../src/node/node-identity.ts'
import { NodeLease } from '../../src/node/node-lease.ts'
import { FilePackStore } from '../../src/node/pack-store-files.ts'
import type { PeerApi } from '../../src/node/peer-api.ts'
import { StorageNode } from '../../src/node/storage-node.ts'
import { openDisk } from '../../src/system/disk.ts'
import { AutoClock } from './auto-clock.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { SeededRandom } from './seeded-random.ts'

export interface TestNode {
  readonly name: string
  readonly directory: string
  readonly disk: FaultyDisk
  readonly ref: NodeRef
  readonly store: FilePackStore
  readonly node: StorageNode
  readonly lease: NodeLease
  readonly heartbeat: HeartbeatWorker
  /** Called for each slice that this node receives as a replica; what it throws breaks the stream. */
  onSlice: ((offset: number) => void) | undefined
  dead: boolean
}

/** A real manager and real nodes on real disks in one process; only the network between them is a function call. */
export class NodeCluster {
  readonly clock = new AutoClock()
  readonly random = new SeededRandom(7)
  readonly nodes: TestNode[] = []
  readonly root: string
  readonly manager: Manager

  private constructor(root: string, manager: Manager) {
    this.root = root
    this.manager = manager
  }

  static async start(names: readonly string[], capacityBytes = 1e12): Promise<NodeCluster> {
    const root = await mkdtemp(join(tmpdir(), 'twofold-nodes-'))
    const catalogue = openSqliteCatalogue(':memory:')
    const clock = new AutoClock()
    const random = new SeededRandom(7)
    const manager = await Manager.open({ catalogue, clock, random, logger: silentLogger })
    const cluster = new NodeCluster(root, manager)
    Object.assign(cluster, { clock, random })
    for (const name of names) await cluster.addNode(name, capacityBytes)
    await cluster.beatAll()
    return cluster
  }

  async stop(): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }

  async addNode(name: string, capacityBytes = 1e12): Promise<TestNode> {
    const { clock, random, manager } = this
    const directory = join(this.root, name)
    const disk = new FaultyDisk(await openDisk(directory))
    const identity = await openIdentity(disk, random)
    const store = await FilePackStore.open({ disk, capacityBytes, logger: silentLogger })
    const lease = new NodeLease(clock)
    const signer = createSigner(identity.signingSeed)
    const ports = { clock, random, logger: silentLogger, manager, store, lease }
    const node = new StorageNode({ ...ports, peers: this.#peers(), signer })
    const ref: NodeRef = {
      nodeId: identity.nodeId,
      incarnation: identity.incarnation,
      name,
      address: `127.0.0.1:${7001 + this.nodes.length}`,
      failureDomain: '',
    }
    const heartbeat = new HeartbeatWorker({
      ...ports,
      node,
      self: ref,
      bootId: randomHexId<string>(random),
      publicKey: signer.publicKey,
      programVersion: 'test',
      clusterId: identity.clusterId,
      rememberCluster: (clusterId) => saveIdentity(disk, { ...identity, clusterId }),
    })
    const made: TestNode = {
      name,
      directory,
      disk,
      ref,
      store,
      node,
      lease,
      heartbeat,
      onSlice: undefined,
      dead: false,
    }
    this.nodes.push(made)
    return made
  }

  /** Registers nodes that have not, then brings two heartbeats of each: orders with one, results with the next. */
  async beatAll(): Promise<void> {
    const signal = new AbortController().signal
    for (let round = 0; round < 3; round++) {
      for (const node of this.nodes) if (!node.dead) await node.heartbeat.beat(signal)
    }
  }

  byRef(ref: NodeRef): TestNode {
    const found = this.nodes.find((node) => node.ref.nodeId === ref.nodeId)
    if (found === undefined) throw new Error(`no node ${ref.name}`)
    return found
  }

  #peers(): PeerApi {
    return {
      replicate: async (
        peer: NodeRef,
        header: ReplicateHeader,
        slices: AsyncIterable<Uint8Array>,
        options: CallOptions = {},
      ): Promise<Receipt> => {
        const target = this.byRef(peer)
        if (target.dead) throw new TwofoldError('unavailable', `cannot reach ${peer.name}`)
        return target.node.replicate(header, observed(target, slices), options)
      },
    }
  }

  async session(): Promise<Session> {
    return this.manager.beginBackup({
      clientId: randomHexId<string>(this.random),
      requestId: randomHexId<string>(this.random),
      vault: '',
      host: 'h',
      user: 'u',
      paths: [Buffer.from('/p')],
      fileName: '',
      parent: '',
      noParent: false,
    })
  }

  allocate(session: Session, lengthBytes: number): Promise<Allocation> {
    const requestId = randomHexId<string>(this.random)
    return this.manager.allocatePack({ session, requestId, lengthBytes, excludeNodeIds: [] })
  }

  /** A pack of incompressible data records, `records` of `bytes` each. */
  async pack(session: Session, records = 20, bytes = 100_000): Promise<Uint8Array> {
    const writer = new PackWriter(new Uint8Array(records * (bytes + 4096) + 65_536), session.vaultId)
    for (let record = 0; record < records; record++) {
      const plain = this.random.bytes(bytes)
      const chunkId = parseChunkId(blake3(plain))
      writer.append(await sealRecord({ vaultId: session.vaultId, kind: 'data', chunkId, plain }, inlineCodec))
    }
    return writer.finish()
  }

  /** Every file below the nodes' pack folders, as `node/path`; what a failed upload must leave empty. */
  async files(): Promise<string[]> {
    const found: string[] = []
    for (const { name, directory } of this.nodes) {
      for (const folder of ['incoming', 'packs']) {
        const entries = await readdir(join(directory, folder), { recursive: true, withFileTypes: true })
        for (const entry of entries) if (entry.isFile()) found.push(`${name}/${folder}/${entry.name}`)
      }
    }
    return found
  }
}

async function* observed(target: TestNode, slices: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let offset = 0
  for await (const slice of slices) {
    if (target.dead) throw new TwofoldError('unavailable', `${target.name} went away`)
    target.onSlice?.(offset)
    yield slice
    offset += slice.length
  }
}

/** `bytes` in slices of `length`. `before` is called ahead of each with its offset. */
export async function* slicesOf(
  bytes: Uint8Array,
  length = 65_536,
  before: (offset: number) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += length) {
    before(offset)
    yield await Promise.resolve(bytes.subarray(offset, offset + length))
  }
}
