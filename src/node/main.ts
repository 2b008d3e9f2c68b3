import { TwofoldError, describeError } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import { scrubPeriodMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import { createSigner } from '../format/signing.ts'
import { ChannelPool } from '../rpc/channel.ts'
import { startServer } from '../rpc/server.ts'
import type { ServiceMount } from '../rpc/server.ts'
import { systemClock } from '../system/clock.ts'
import { openDisk } from '../system/disk.ts'
import { lockDirectory } from '../system/lock.ts'
import { systemRandom } from '../system/random.ts'
import { CatalogueKeeper } from './catalogue-keeper.ts'
import { HeartbeatWorker } from './heartbeat-worker.ts'
import { remoteManager } from './manager-remote.ts'
import { requireStoreOrEmpty } from './node-identity.ts'
import { NodeLease } from './node-lease.ts'
import { NodeLog } from './node-log.ts'
import { FilePackStore } from './pack-store-files.ts'
import { remotePeers } from './peer-remote.ts'
import { replicationService } from './replication-service.ts'
import { ScrubWorker } from './scrub-worker.ts'
import type { ScrubTiming } from './scrub-worker.ts'
import { StorageNode } from './storage-node.ts'
import { storageService } from './storage-service.ts'
import { StoreIdentity } from './store-identity.ts'
import { untilFree } from './until-free.ts'
import type { RunningNode } from './until-free.ts'

export type { RunningNode } from './until-free.ts'

export interface NodeOptions {
  /** Where the store is; an empty or missing directory is formatted. Locked for this process alone. */
  readonly dataDirectory: string
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string
  /** Where others reach this node, if not where it listens. */
  readonly advertise?: string
  readonly name: string
  readonly capacityBytes: number
  /** Empty means a domain of its own. */
  readonly failureDomain?: string
  /** `host:port` of the managers. */
  readonly managers: readonly string[]
  readonly insecure?: boolean
  /** Default: `scrubPeriodMs`, as fast as that needs. */
  readonly scrub?: ScrubTiming
  readonly logger: Logger
  readonly programVersion?: string
  /** More services in the same process. */
  readonly extraServices?: () => readonly ServiceMount[]
}

/** How long transfers in progress may take once the node is told to stop, in milliseconds. */
const drainMs = 10_000

/**
 * Runs a storage node until it is told to stop. While another process serves the store it waits for the end of that.
 * @throws `invalid-argument` for a capacity that no node can have, before anything is created.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const first = await openNode(options)
  return untilFree(first, { clock: systemClock, reopen: () => openNode({ ...options, listen: first.address }) })
}

/** Opens a store and serves it, until it is told to stop or cannot go on. */
async function openNode(options: NodeOptions): Promise<RunningNode> {
  const { logger, capacityBytes } = options
  if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 1) {
    throw new TwofoldError('invalid-argument', `a node needs a capacity of at least 1 byte, not ${capacityBytes}`)
  }
  const disk = await openDisk(options.dataDirectory)
  await requireStoreOrEmpty(disk)
  const lock = await lockDirectory(options.dataDirectory)
  const control = new ChannelPool({ bulk: false })
  const bulk = new ChannelPool({ bulk: true })
  try {
    const identity = await StoreIdentity.open(disk, systemRandom)
    const store = await FilePackStore.open({ disk, capacityBytes, logger })
    const log = await NodeLog.open({ disk, logger, onFailure: (error) => store.judge(error) })
    const signer = createSigner(identity.current.signingSeed)
    const lease = new NodeLease(systemClock)
    const manager = remoteManager(control, options.managers)
    const ports = { clock: systemClock, random: systemRandom, logger }
    const peers = remotePeers(bulk)
    const node = new StorageNode({ store, manager, peers, lease, log, signer, ...ports })
    const server = await startServer({
      address: options.listen,
      services: [storageService(node), replicationService(node), ...(options.extraServices?.() ?? [])],
      serving: () => node.writable,
      sharedWindows: true,
      insecure: options.insecure ?? false,
      logger,
    })
    const { nodeId, incarnation, clusterId } = identity.current
    const address = options.advertise ?? server.address
    const failureDomain = options.failureDomain ?? ''
    const heartbeat = new HeartbeatWorker({
      ...ports,
      ...{ node, store, manager, peers, lease, log },
      keeper: new CatalogueKeeper({ disk, manager, logger }),
      self: { nodeId, incarnation, name: options.name, address, failureDomain },
      bootId: randomHexId<string>(systemRandom),
      publicKey: signer.publicKey,
      programVersion: options.programVersion ?? '',
      clusterId,
      rememberCluster: (cluster) => identity.rememberCluster(cluster),
      renewIncarnation: (known) => identity.renewIncarnation(known),
      bootNumber: () => identity.bootNumber,
    })
    const timing = options.scrub ?? { periodMs: scrubPeriodMs, bytesPerSecond: 0 }
    const scrub = new ScrubWorker({ ...ports, node, store, lease, timing })
    const background = new AbortController()
    const scrubbing = scrub.run(background.signal)
    scrubbing.catch((error: unknown) => logger.error('the scrub cannot go on', { error }))
    const ended = heartbeat.run(background.signal)
    ended.catch((error: unknown) => logger.error('the node cannot go on', { error: describeError(error) }))
    const shutDown = async (): Promise<void> => {
      await server.drain(drainMs)
      background.abort()
      await Promise.allSettled([ended, scrubbing])
      await Promise.all([store.close(), log.close()])
      control.close()
      bulk.close()
      lock.release()
    }
    let stopping: Promise<void> | undefined
    const stop = (): Promise<void> => (stopping ??= shutDown())
    return { address: server.address, nodeId, ended, stop }
  } catch (error) {
    control.close()
    bulk.close()
    lock.release()
    throw error
  }
}
