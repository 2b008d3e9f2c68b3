import { backoffMs, roomWaitMs } from '../core/backoff.ts'
import type { BackoffOptions } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { describeError, isTwofoldError, toTwofoldError, TwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { NodeId } from '../core/ids.ts'
import { placementPatienceMs, roomRetriesPerTicket, sliceBytes } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { Allocation, PackFate, Session } from '../core/messages.ts'
import type { NodeRef } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { WrittenPack } from './backup-request.ts'
import type { ManagerApi } from './manager-api.ts'
import { persistently } from '../core/persistently.ts'
import type { PackEvent, Progress } from './progress.ts'
import type { StorageApi } from './storage-api.ts'

export interface PackUploaderDeps {
  readonly manager: ManagerApi
  readonly storage: StorageApi
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly session: Session
  readonly progress: Progress
  readonly signal: AbortSignal
}

const backoff: BackoffOptions = { firstMs: 200, mostMs: 2000 }

/** Failures that another node would only repeat. */
const hopeless: readonly ErrorCode[] = [
  'session-ended',
  'missing-chunks',
  'invalid-argument',
  'unsupported',
  'internal',
]

/** One pack's way to its nodes. */
interface Delivery {
  readonly bytes: Uint8Array
  /** Nodes that failed as its primary. */
  readonly excluded: Set<NodeId>
  attempts: number
  /** How often nodes said that they have no room, since one took it. */
  refusals: number
  /** Time spent between attempts, in milliseconds: what the patience is for. Transfers that fail late do not count. */
  waitedMs: number
}

/**
 * Places a pack, streams it to its primary and resolves when it is committed. What fails is settled with the manager
 * first, then tried on other nodes, until the patience is over.
 */
export class PackUploader {
  readonly #deps: PackUploaderDeps
  /** The packs that were committed, in the order in which they were. */
  readonly written: WrittenPack[] = []

  constructor(deps: PackUploaderDeps) {
    this.#deps = deps
  }

  /**
   * `bytes` must stay as they are until it resolves.
   * @throws `not-enough-nodes` or `no-room` when no nodes took it in time, `session-ended`, `missing-chunks` when a
   * tree refers to something that lost its copies, and what the manager's calls throw.
   */
  async upload(bytes: Uint8Array): Promise<WrittenPack> {
    const delivery: Delivery = { bytes, excluded: new Set(), attempts: 0, refusals: 0, waitedMs: 0 }
    for (;;) {
      const allocation = await this.#allocate(delivery)
      try {
        return this.#durable(delivery, allocation, await this.#send(delivery, allocation))
      } catch (error) {
        this.#deps.signal.throwIfAborted()
        const fate = await this.#settle(allocation, error)
        if (fate.committed) return this.#durable(delivery, allocation, fate.nodes)
        await this.#retry(delivery, allocation, toTwofoldError(error))
      }
    }
  }

  async #allocate(delivery: Delivery): Promise<Allocation> {
    const { manager, session, signal, random } = this.#deps
    for (;;) {
      const request = {
        session,
        requestId: randomHexId<string>(random),
        lengthBytes: delivery.bytes.length,
        excludeNodeIds: [...delivery.excluded],
      }
      try {
        return await persistently(() => manager.allocatePack(request, { signal }), this.#deps)
      } catch (error) {
        if (!isTwofoldError(error, 'not-enough-nodes', 'no-room')) throw error
        // A node that failed once may be the only one left.
        const more = delivery.excluded.size > 0 && delivery.refusals > 0
        delivery.excluded.clear()
        // Nor is one failed that had no room a moment ago.
        if (!more) await this.#wait(delivery, error)
      }
    }
  }

  /** A node that has no room is asked again: it has taken nothing, so the ticket is as good as before. */
  async #send(delivery: Delivery, allocation: Allocation): Promise<readonly NodeRef[]> {
    for (let refused = 0; ; refused++) {
      const sent = { bytes: 0 }
      try {
        return await this.#sendOnce(delivery, allocation, sent)
      } catch (error) {
        const again = isTwofoldError(error, 'overloaded') && sent.bytes === 0 && refused < roomRetriesPerTicket
        if (!again || this.#deps.signal.aborted) throw error
        await this.#waitForRoom(delivery, allocation.primary, error)
      }
    }
  }

  async #sendOnce(delivery: Delivery, allocation: Allocation, sent: { bytes: number }): Promise<readonly NodeRef[]> {
    const { storage, progress, signal } = this.#deps
    const { ticket, primary, replicas } = allocation
    const lengthBytes = delivery.bytes.length
    this.#report(delivery, allocation, { state: 'sending' })
    const slices = slicesOf(delivery.bytes, (length) => {
      delivery.refusals = 0
      sent.bytes += length
      progress.bytesSent += length
      progress.tick()
    })
    const result = await storage.upload(primary, { ticket, replicas, lengthBytes }, slices, { signal })
    return result.nodes
  }

  /** As long as the session lives: a node that says so is there, and others are done one day. */
  async #waitForRoom(delivery: Delivery, node: NodeRef, refusal: TwofoldError): Promise<void> {
    const { clock, random, signal, progress } = this.#deps
    const done = progress.waitingFor(node.name)
    try {
      await clock.sleep(roomWaitMs(refusal.retryAfterMs, delivery.refusals++, random), signal)
    } finally {
      done()
    }
  }

  #durable(delivery: Delivery, allocation: Allocation, nodes: readonly NodeRef[]): WrittenPack {
    const [primary, ...replicas] = nodes.map((node) => node.name)
    const holders = primary === undefined ? {} : { primary, replicas }
    this.#report(delivery, allocation, { state: 'durable', ...holders })
    const written = {
      packId: allocation.packId,
      nodes: nodes.map((node) => node.name),
      lengthBytes: delivery.bytes.length,
    }
    this.written.push(written)
    return written
  }

  /** After this the pack is committed, or never will be. */
  async #settle(allocation: Allocation, error: unknown): Promise<PackFate> {
    const { manager, session, signal } = this.#deps
    const request = { session, packId: allocation.packId, reason: describeError(error) }
    return persistently(() => manager.abandonPack(request, { signal }), this.#deps)
  }

  async #retry(delivery: Delivery, allocation: Allocation, error: TwofoldError): Promise<void> {
    const { logger } = this.#deps
    if (hopeless.includes(error.code)) throw error
    // Too few replicas are not the primary's fault.
    if (error.code !== 'not-enough-nodes') delivery.excluded.add(allocation.primary.nodeId)
    logger.warn('a pack must be sent again', { packId: allocation.packId, primary: allocation.primary.name, error })
    this.#report(delivery, allocation, { state: 'retry', problem: error.message })
    if (error.code === 'overloaded') await this.#waitForRoom(delivery, allocation.primary, error)
    else await this.#wait(delivery, error)
  }

  async #wait(delivery: Delivery, error: TwofoldError): Promise<void> {
    const { clock, random, signal } = this.#deps
    const waitMs = error.retryAfterMs ?? backoffMs(delivery.attempts++, random, backoff)
    if (delivery.waitedMs + waitMs > placementPatienceMs) throw gaveUp(error)
    await clock.sleep(waitMs, signal)
    delivery.waitedMs += waitMs
  }

  #report(delivery: Delivery, allocation: Allocation, what: Partial<PackEvent> & Pick<PackEvent, 'state'>): void {
    this.#deps.progress.emit({
      type: 'pack',
      packId: allocation.packId,
      primary: allocation.primary.name,
      replicas: allocation.replicas.map((node) => node.name),
      lengthBytes: delivery.bytes.length,
      ...what,
    })
  }
}

/** When no node could be reached at all, that is what the person needs to hear, not how the last attempt ended. */
function gaveUp(error: TwofoldError): TwofoldError {
  if (!isTwofoldError(error, 'unavailable', 'deadline-exceeded', 'read-only', 'fenced', 'cancelled')) return error
  const message = `not enough nodes: no storage node could take a pack in time; the last attempt: ${error.message}`
  return new TwofoldError('not-enough-nodes', message, { cause: error, fields: error.fields })
}

/** A pack as it is sent. `onSlice` is told of each slice when the next one is asked for. */
export async function* slicesOf(bytes: Uint8Array, onSlice?: (length: number) => void): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += sliceBytes) {
    const slice = bytes.subarray(offset, Math.min(offset + sliceBytes, bytes.length))
    yield slice
    onSlice?.(slice.length)
  }
}
