import { linkedController } from '../core/abort.ts'
import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { ClusterId, Incarnation } from '../core/ids.ts'
import { heartbeatIntervalMs, orderNewsDelayMs, rolledBackAgainMs, unaryDeadlineMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { HeartbeatReply, KeepCatalogue, LogReport, Registration, Sender } from '../core/messages.ts'
import type { NodeRef } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import { knownBootNumber, rolledBackFrom } from '../core/rolled-back.ts'
import type { CatalogueKeeper } from './catalogue-keeper.ts'
import type { ManagerApi } from './manager-api.ts'
import type { NodeLease } from './node-lease.ts'
import type { NodeLog } from './node-log.ts'
import { OrderDesk } from './order-desk.ts'
import type { PackStore } from './pack-store.ts'
import type { PeerApi } from './peer-api.ts'
import { allRecords } from './records-report.ts'
import type { StorageNode } from './storage-node.ts'

export interface HeartbeatDeps {
  readonly node: StorageNode
  readonly store: PackStore
  readonly manager: ManagerApi
  readonly peers: PeerApi
  readonly lease: NodeLease
  readonly log: NodeLog
  /** Keeps copies of the catalogue; without it none are kept. */
  readonly keeper?: CatalogueKeeper
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly self: NodeRef
  readonly bootId: string
  readonly publicKey: Uint8Array
  readonly programVersion: string
  /** The cluster that the store belongs to, if it is known, and how to remember it durably. */
  readonly clusterId: ClusterId | undefined
  readonly rememberCluster: (clusterId: ClusterId) => Promise<void>
  /** Begins a new life of the store, durably. */
  readonly renewIncarnation: (knownBootNumber: number) => Promise<Incarnation>
  /** Which start of the store's processes this is. */
  readonly bootNumber: () => number
}

const retryBackoff = { firstMs: 200, mostMs: 2000 }

/** Answers of the manager that will be the same the next time. A manager with a bad or full disk gets over that. */
const hopeless: readonly ErrorCode[] = [
  'invalid-argument',
  'already-exists',
  'failed-precondition',
  'permission-denied',
  'fenced',
  'unsupported',
]

/** Registers the node, then reports to the manager again and again and passes on what it orders. */
export class HeartbeatWorker {
  readonly #deps: HeartbeatDeps
  #clusterId: ClusterId | undefined
  #registration: Registration | undefined
  #sequence = 0
  #failures = 0
  #self: NodeRef
  /** What the manager knew the last time it called the store older than that. */
  #rolledBackFrom: number | undefined
  #inventories = 0
  /** Whether the manager knows that this node stops, as it was ordered to. */
  #stopped = false
  readonly #desk: OrderDesk

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps
    this.#self = deps.self
    const { writes, custodian } = deps.node
    this.#desk = new OrderDesk({
      ...{ ...deps, writes, custodian },
      incarnation: () => this.#self.incarnation,
      sendInventory: (signal) => this.#sendInventory(signal),
      sendRecords: (signal) => this.#sendRecords(signal),
      keepCatalogue: (order) => this.#keepCatalogue(order),
    })
    this.#clusterId = deps.clusterId
  }

  /**
   * Works until `signal` is aborted, or the manager has ordered the node to stop.
   * @throws what makes going on pointless: `fenced`, a taken name, another cluster.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && !this.#stopped) await this.#pause(await this.beat(signal), signal)
    } finally {
      this.#desk.stop(new TwofoldError('cancelled', 'the node stops'))
    }
  }

  /** Until the next heartbeat is due, or an order was carried out that the manager waits for. */
  async #pause(waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    const { controller, release } = linkedController(signal)
    const early = async (): Promise<void> => {
      await this.#desk.news(controller.signal)
      await clock.sleep(orderNewsDelayMs, controller.signal)
    }
    const due = clock.sleep(waitMs, controller.signal)
    try {
      await (this.#failures > 0 || this.#registration === undefined ? due : Promise.race([due, early()]))
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      release()
      controller.abort(new TwofoldError('cancelled', 'the wait is over'))
    }
  }

  /** One registration or heartbeat. @returns how long to wait until the next, in milliseconds. */
  async beat(signal: AbortSignal): Promise<number> {
    const { random, logger } = this.#deps
    try {
      const intervalMs = await (this.#registration === undefined
        ? this.#register(signal)
        : this.#report(this.#registration, signal))
      this.#failures = 0
      return intervalMs
    } catch (error) {
      if (signal.aborted) return 0
      if (isTwofoldError(error, 'not-registered')) {
        logger.warn('the manager does not know this node; registering again')
        this.#registration = undefined
        return 0
      }
      if (isTwofoldError(error, 'fenced')) this.#deps.lease.fence()
      const retry = isTwofoldError(error) && !isTwofoldError(error, ...hopeless)
      if (!retry) throw error
      if (this.#failures === 0) logger.warn('cannot report to the manager; trying again', { error })
      return Math.max(backoffMs(this.#failures++, random, retryBackoff), retryAfterMs(error))
    }
  }

  async #register(signal: AbortSignal): Promise<number> {
    const { manager, clock, store, lease, node, log, logger } = this.#deps
    const self = this.#self
    const { usedBytes, capacityBytes, putSequence } = await store.usage()
    const { bootId, publicKey, programVersion } = this.#deps
    const sentAtMs = clock.monotonicMs()
    const clusterId = this.#clusterId
    const request = {
      ...{ node: self, bootId, capacityBytes, usedBytes, publicKey, putSequence, clusterId, programVersion },
      bootNumber: this.#deps.bootNumber(),
      ...log.report(),
    }
    let registration: Registration
    try {
      registration = await manager.register(request, { signal })
    } catch (error) {
      const acknowledged = rolledBackFrom(error)
      if (acknowledged === undefined) throw error
      return this.#rolledBack(acknowledged, knownBootNumber(error))
    }
    this.#rolledBackFrom = undefined
    if (clusterId === undefined) await this.#deps.rememberCluster(registration.clusterId)
    this.#clusterId = registration.clusterId
    this.#registration = registration
    lease.renew(sentAtMs, registration)
    const { nodeId, incarnation } = self
    node.join({
      nodeId,
      incarnation,
      clusterId: registration.clusterId,
      managerPublicKey: registration.managerPublicKey,
    })
    logger.info('registered', { cluster: registration.clusterId, number: registration.registrationNumber })
    return 0
  }

  /**
   * The disk is older than what was acknowledged: a restored image, most likely. Once the manager has said so twice the
   * store begins a new life with the packs that it has; what it lost is repaired from elsewhere.
   */
  async #rolledBack(acknowledged: number, bootNumber: number): Promise<number> {
    const { store, logger } = this.#deps
    if (this.#rolledBackFrom !== acknowledged) {
      this.#rolledBackFrom = acknowledged
      logger.warn('the manager says that this store was rolled back; asking again', { acknowledged })
      return rolledBackAgainMs
    }
    // The incarnation first: with higher numbers alone, a crash would make the old life look complete.
    const incarnation = await this.#deps.renewIncarnation(bootNumber)
    await store.skipTo(acknowledged)
    this.#self = { ...this.#self, incarnation }
    this.#rolledBackFrom = undefined
    logger.error('this store was rolled back; it goes on as a new one with the packs that it has', { incarnation })
    return 0
  }

  async #report(registration: Registration, signal: AbortSignal): Promise<number> {
    const { manager, clock, store, lease, node, log } = this.#deps
    const usage = await store.usage()
    const results = this.#desk.results()
    // After the results: what an order found damaged is told no later than that it was carried out.
    const damaged = node.custodian.damaged()
    const proven = node.custodian.proven.next()
    const { problem } = store
    const reported = log.report()
    const sentAtMs = clock.monotonicMs()
    const reply = await manager.heartbeat(
      {
        ...this.#registered(),
        sequence: ++this.#sequence,
        ...usage,
        uploads: node.writes.size,
        writable: problem === '',
        problem,
        results,
        damaged,
        proven,
        storeFailed: problem !== '',
        ...reported,
      },
      { signal },
    )
    lease.renew(sentAtMs, reply)
    this.#stopped = this.#desk.tellsStop(results)
    this.#desk.answered(results)
    node.custodian.proven.answered(proven)
    // What a manager orders may rest on its log, so the log comes first.
    if (await this.#follow(reported, reply)) this.#desk.take(reply.orders)
    if (this.#stopped) return 0
    const sinceSentMs = clock.monotonicMs() - sentAtMs
    const intervalMs = registration.heartbeatIntervalMs || heartbeatIntervalMs
    const more = (reply.logEntries ?? []).length > 0
    return more ? 0 : Math.max(0, Math.min(intervalMs, unaryDeadlineMs) - sinceSentMs)
  }

  async #sendInventory(signal: AbortSignal): Promise<void> {
    const { manager, store } = this.#deps
    const head = this.#registered()
    const reportNumber = ++this.#inventories
    await manager.reportInventory({ ...head, reportNumber, ...store.inventory() }, { signal })
  }

  async #keepCatalogue(order: KeepCatalogue): Promise<void> {
    const { keeper } = this.#deps
    if (keeper === undefined) throw new TwofoldError('unsupported', 'this node keeps no copies of the catalogue')
    await keeper.keep(order)
  }

  /** Tells a manager that lost its catalogue everything. */
  async #sendRecords(signal: AbortSignal): Promise<void> {
    const { manager, store, log, clock, node } = this.#deps
    const head = this.#registered()
    const parts = allRecords({ store, log, clock, writes: node.writes })
    await manager.reportRecords({ ...head, ...log.report(), parts }, { signal })
  }

  /** As what this node reports. @throws TwofoldError `not-registered` */
  #registered(): Sender {
    if (this.#registration === undefined) throw new TwofoldError('not-registered', 'this node registers again')
    const { nodeId, incarnation } = this.#self
    const { bootId } = this.#deps
    return { nodeId, incarnation, registrationNumber: this.#registration.registrationNumber, bootId }
  }

  /** Records the manager's log as far as its answer brings it. @returns whether that worked. */
  async #follow(reported: LogReport, { logHead, logEntries = [] }: HeartbeatReply): Promise<boolean> {
    if (logHead === undefined) return true
    try {
      await this.#deps.log.follow(reported, logHead, logEntries)
      return true
    } catch (error) {
      this.#deps.logger.error("the manager's log cannot be recorded", { error: describeError(error) })
      return false
    }
  }
}

/**
 * When to open the store again after another process was found to serve it, perhaps one that has ended but is not
 * forgotten yet, in milliseconds. What was read from the store until now may be out of date then.
 */
export function heldNameRetryMs(error: unknown): number | undefined {
  return isTwofoldError(error, 'already-exists') ? error.retryAfterMs : undefined
}

function retryAfterMs(error: unknown): number {
  return error instanceof TwofoldError ? (error.retryAfterMs ?? 0) : 0
}
