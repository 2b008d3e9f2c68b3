import type { Clock } from '../../src/core/clock.ts'
import type { Disk } from '../../src/core/disk.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import { randomHexId } from '../../src/core/ids.ts'
import type { PackId } from '../../src/core/ids.ts'
import { scrubPeriodMs } from '../../src/core/limits.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { NodeRef } from '../../src/core/model.ts'
import type { Random } from '../../src/core/random.ts'
import { createSigner } from '../../src/format/signing.ts'
import { CatalogueKeeper } from '../../src/node/catalogue-keeper.ts'
import { HeartbeatWorker } from '../../src/node/heartbeat-worker.ts'
import type { ManagerApi } from '../../src/node/manager-api.ts'
import { NodeLease } from '../../src/node/node-lease.ts'
import { NodeLog } from '../../src/node/node-log.ts'
import { FilePackStore } from '../../src/node/pack-store-files.ts'
import type { PeerApi } from '../../src/node/peer-api.ts'
import { ScrubWorker } from '../../src/node/scrub-worker.ts'
import type { ScrubTiming } from '../../src/node/scrub-worker.ts'
import { StorageNode } from '../../src/node/storage-node.ts'
import type { StorageNodeDeps } from '../../src/node/storage-node.ts'
import { StoreIdentity } from '../../src/node/store-identity.ts'
import { FaultyDisk } from './faulty-disk.ts'

export interface NodeOptions {
  readonly name: string
  readonly address: string
  readonly capacityBytes: number
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly manager: ManagerApi
  readonly peers: PeerApi
  /** In bytes; the limits' unless given. */
  readonly intake?: StorageNodeDeps['intake'] | undefined
  readonly room?: StorageNodeDeps['room'] | undefined
  readonly scrub?: ScrubTiming
}

export interface NodeParts {
  readonly ref: NodeRef
  readonly store: FilePackStore
  readonly node: StorageNode
  readonly lease: NodeLease
  readonly log: NodeLog
  readonly heartbeat: HeartbeatWorker
  readonly scrub: ScrubWorker
}

/** The parts of a real node's process on its disk, which is formatted when it is empty. Nothing runs by itself yet. */
export async function openNode(options: NodeOptions): Promise<NodeParts> {
  const { name, address, capacityBytes, disk, clock, random, manager, peers } = options
  const identity = await StoreIdentity.open(disk, random)
  const store = await FilePackStore.open({ disk, capacityBytes, logger: silentLogger })
  const lease = new NodeLease(clock)
  const signer = createSigner(identity.current.signingSeed)
  const log = await NodeLog.open({ disk, logger: silentLogger, onFailure: (error) => store.judge(error) })
  const ports = { clock, random, logger: silentLogger, manager, store, lease, log }
  const node = new StorageNode({ ...ports, peers, signer, intake: options.intake, room: options.room })
  const { nodeId, incarnation, clusterId } = identity.current
  const ref: NodeRef = { nodeId, incarnation, name, address, failureDomain: '' }
  const heartbeat = new HeartbeatWorker({
    ...ports,
    keeper: new CatalogueKeeper({ disk, manager, logger: silentLogger }),
    node,
    peers,
    self: ref,
    bootId: randomHexId<string>(random),
    publicKey: signer.publicKey,
    programVersion: 'test',
    clusterId,
    rememberCluster: (known) => identity.rememberCluster(known),
    renewIncarnation: (known) => identity.renewIncarnation(known),
    bootNumber: () => identity.bootNumber,
  })
  const timing = options.scrub ?? { periodMs: scrubPeriodMs, bytesPerSecond: 0 }
  const scrub = new ScrubWorker({ ...ports, node, timing })
  return { ref, store, node, lease, log, heartbeat, scrub }
}

/** A real node that can be cut off from everybody, and whose disk can fail or forget. */
export class TestNode implements NodeParts {
  readonly name: string
  readonly disk: FaultyDisk
  readonly ref: NodeRef
  readonly store: FilePackStore
  readonly node: StorageNode
  readonly lease: NodeLease
  readonly log: NodeLog
  readonly heartbeat: HeartbeatWorker
  readonly scrub: ScrubWorker
  /** Called for each slice that this node receives as a replica; what it throws breaks the stream. */
  onSlice: ((offset: number) => void) | undefined
  #death = new AbortController()

  private constructor(disk: FaultyDisk, parts: NodeParts) {
    this.name = parts.ref.name
    this.disk = disk
    this.ref = parts.ref
    this.store = parts.store
    this.node = parts.node
    this.lease = parts.lease
    this.log = parts.log
    this.heartbeat = parts.heartbeat
    this.scrub = parts.scrub
  }

  static async open(options: NodeOptions): Promise<TestNode> {
    const disk = new FaultyDisk(options.disk)
    return new TestNode(disk, await openNode({ ...options, disk }))
  }

  get dead(): boolean {
    return this.#death.signal.aborted
  }

  /** From now on it answers nobody and is not heard of; what it is doing breaks off. */
  kill(): void {
    this.#death.abort(new TwofoldError('unavailable', `node ${this.name} does not answer`))
  }

  revive(): void {
    if (this.dead) this.#death = new AbortController()
  }

  /** Leaves its disk. */
  async close(): Promise<void> {
    await this.store.close()
    await this.log.close()
  }

  /** @throws `unavailable` when it is dead. */
  requireAlive(): void {
    this.#death.signal.throwIfAborted()
  }

  /** Aborted with `signal`, or when the node dies. */
  signalFor(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#death.signal : AbortSignal.any([signal, this.#death.signal])
  }

  /** The files of packs, finished or not. */
  async files(): Promise<string[]> {
    const found: string[] = []
    const visit = async (directory: string): Promise<void> => {
      for (const entry of await this.disk.list(directory)) {
        const path = `${directory}/${entry.name}`
        if (entry.directory) await visit(path)
        else found.push(path)
      }
    }
    for (const directory of ['incoming', 'packs']) await visit(directory)
    return found
  }

  /** What a bad disk does: the content of a pack's file changes, and nobody is told. */
  async damage(packId: PackId, change: (bytes: Buffer) => void): Promise<void> {
    const path = (await this.files()).find((file) => file.includes(`/${packId}.`))
    if (path === undefined) throw new Error(`node ${this.name} has no pack ${packId}`)
    const old = await this.disk.open(path)
    const bytes = Buffer.alloc(await old.length())
    await old.read(bytes, 0)
    await old.close()
    change(bytes)
    await this.disk.remove(path)
    const file = await this.disk.create(path)
    await file.write(bytes, 0)
    await file.close()
  }
}
