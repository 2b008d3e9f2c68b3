import { backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { ClusterId } from '../core/ids.ts'
import { heartbeatIntervalMs, unaryDeadlineMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { HeartbeatReply, KeepCatalogue, LogReport, OrderResult, Registration } from '../core/messages.ts'
import type { NodeRef } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { CatalogueKeeper } from './catalogue-keeper.ts'
import type { ManagerApi } from './manager-api.ts'
import type { NodeLease } from './node-lease.ts'
import type { NodeLog } from './node-log.ts'
import { carryOut } from './orders.ts'
import type { PackStore } from './pack-store.ts'
import { allRecords } from './records-report.ts'
import type { StorageNode } from './storage-node.ts'

export interface HeartbeatDeps {
  readonly node: StorageNode
  readonly store: PackStore
  readonly manager: ManagerApi
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

/** Registers the node, then reports to the manager again and again and carries out what it orders. */
export class HeartbeatWorker {
  readonly #deps: HeartbeatDeps
  #clusterId: ClusterId | undefined
  #registration: Registration | undefined
  #sequence = 0
  #failures = 0
  #results: OrderResult[] = []

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps
    this.#clusterId = deps.clusterId
  }

  /**
   * Works until `signal` is aborted.
   * @throws what makes going on pointless: `fenced`, a taken name, another cluster, a rolled back store.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await this.beat(signal)
      try {
        await this.#deps.clock.sleep(waitMs, signal)
      } catch (error) {
        if (!signal.aborted) throw error
      }
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
      if (!retry && !isWaitingForTheName(error)) throw error
      if (this.#failures === 0) logger.warn('cannot report to the manager; trying again', { error })
      return Math.max(backoffMs(this.#failures++, random, retryBackoff), retryAfterMs(error))
    }
  }

  async #register(signal: AbortSignal): Promise<number> {
    const { manager, clock, store, self, lease, node, log, logger } = this.#deps
    const { usedBytes, capacityBytes, putSequence } = await store.usage()
    const { bootId, publicKey, programVersion } = this.#deps
    const sentAtMs = clock.monotonicMs()
    const clusterId = this.#clusterId
    const registration = await manager.register(
      {
        ...{ node: self, bootId, capacityBytes, usedBytes, publicKey, putSequence, clusterId, programVersion },
        ...log.report(),
      },
      { signal },
    )
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

  async #report(registration: Registration, signal: AbortSignal): Promise<number> {
    const { manager, clock, store, self, lease, node, log } = this.#deps
    const usage = await store.usage()
    const results = this.#results
    const reported = log.report()
    const sentAtMs = clock.monotonicMs()
    const reply = await manager.heartbeat(
      {
        nodeId: self.nodeId,
        incarnation: self.incarnation,
        registrationNumber: registration.registrationNumber,
        sequence: ++this.#sequence,
        ...usage,
        uploads: node.writes.size,
        writable: store.problem === '',
        problem: store.problem,
        results,
        damaged: [],
        proven: [],
        storeFailed: store.problem !== '',
        ...reported,
      },
      { signal },
    )
    lease.renew(sentAtMs, reply)
    const { incarnation } = self
    const { logger } = this.#deps
    this.#results = []
    // What a manager orders may rest on its log, so the log comes first.
    const orders = (await this.#follow(reported, reply)) ? reply.orders : []
    for (const order of orders) {
      if (order.action.kind === 'keep-catalogue') {
        this.#keepCatalogue(order.orderId, order.action)
        continue
      }
      const result =
        order.action.kind === 'send-records'
          ? await this.#sendRecords(order.orderId, registration, signal)
          : await carryOut(order, { store, writes: node.writes, lease, incarnation, logger })
      this.#results.push(result)
    }
    const sinceSentMs = clock.monotonicMs() - sentAtMs
    const intervalMs = registration.heartbeatIntervalMs || heartbeatIntervalMs
    const soon = this.#results.length > 0 || (reply.logEntries ?? []).length > 0
    return soon ? 0 : Math.max(0, Math.min(intervalMs, unaryDeadlineMs) - sinceSentMs)
  }

  /** A large copy takes longer than a node may be silent, so the answer goes with a later heartbeat. */
  #keepCatalogue(orderId: string, order: KeepCatalogue): void {
    void this.#deps.keeper?.keep(orderId, order).then((result) => {
      if (result !== undefined) this.#results.push(result)
    })
  }

  /** Tells a manager that lost its catalogue everything; until that is done it has nothing else to ask. */
  async #sendRecords(orderId: string, registration: Registration, signal: AbortSignal): Promise<OrderResult> {
    const { manager, store, self, log, clock, logger } = this.#deps
    const { nodeId, incarnation } = self
    const { registrationNumber } = registration
    const undone = { orderId, done: false, code: undefined, receipt: undefined }
    try {
      const parts = allRecords(store, log, clock)
      await manager.reportRecords({ nodeId, incarnation, registrationNumber, ...log.report(), parts }, { signal })
      return { ...undone, done: true, problem: '' }
    } catch (error) {
      if (signal.aborted) throw error
      logger.error('the records could not be reported', { error: describeError(error) })
      return { ...undone, problem: describeError(error) }
    }
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

/** The previous process of this store may not have been forgotten yet. */
function isWaitingForTheName(error: unknown): boolean {
  return isTwofoldError(error, 'already-exists') && error.retryAfterMs !== undefined
}

function retryAfterMs(error: unknown): number {
  return error instanceof TwofoldError ? (error.retryAfterMs ?? 0) : 0
}
