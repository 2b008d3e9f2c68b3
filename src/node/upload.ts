import { linkedController } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { ticketLifeMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { UploadHeader, UploadResult } from '../core/storage-messages.ts'
import type { NodeRef, Receipt, Ticket, TicketClaims } from '../core/model.ts'
import { persistently } from '../core/persistently.ts'
import type { Random } from '../core/random.ts'
import { Semaphore } from '../core/semaphore.ts'
import type { Custodian } from './custodian.ts'
import type { ManagerApi } from './manager-api.ts'
import { PackIntake } from './pack-intake.ts'
import type { ReceivedPack } from './pack-intake.ts'
import type { PackStore } from './pack-store.ts'
import type { PeerApi } from './peer-api.ts'
import { ReplicaFeed } from './replica-feed.ts'
import type { WritesInProgress } from './writes-in-progress.ts'

export interface UploadDeps {
  readonly store: PackStore
  readonly custodian: Custodian
  readonly writes: WritesInProgress
  readonly manager: ManagerApi
  readonly peers: PeerApi
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Signs for a pack that is durable in this node's store. */
  readonly receiptFor: (received: ReceivedPack, claims: TicketClaims) => Receipt
}

export interface UploadOrder {
  readonly header: UploadHeader
  readonly claims: TicketClaims
  readonly slices: AsyncIterable<Uint8Array>
  readonly signal: AbortSignal | undefined
}

/** What the manager says about a commit that can never succeed: then the pack may go. Everything else is unknown. */
const refusals: readonly ErrorCode[] = [
  'failed-precondition',
  'session-ended',
  'missing-chunks',
  'permission-denied',
  'invalid-argument',
  'not-found',
]

/**
 * The primary's part in a pack's first write: checks and appends each slice while the replicas take it, then makes the
 * pack durable together with them and commits it at the manager.
 *
 * Memory: one slice (at most `sliceBytesMax`) that is being written and forwarded, and one of `sliceBytes` for each
 * replica that is catching up, whatever the length of the pack; the rest is the network's windows.
 *
 * On any failure this node's own copy is removed and the replicas' streams are broken off, which removes theirs; a
 * replica that had sealed already is told by the manager once the client abandons the pack.
 */
export class Upload {
  readonly #deps: UploadDeps
  readonly #order: UploadOrder
  readonly #replacing = new Semaphore(1)
  #ticket: Ticket

  constructor(deps: UploadDeps, order: UploadOrder) {
    this.#deps = deps
    this.#order = order
    this.#ticket = order.header.ticket
  }

  async run(): Promise<UploadResult> {
    const { header, claims } = this.#order
    const intake = await PackIntake.begin(this.#deps, claims, header.lengthBytes)
    const { controller, release } = linkedController(this.#order.signal)
    const feeds: ReplicaFeed[] = []
    try {
      // One after the other, in one order for all uploads, so that two never wait for what the other one has.
      for (const replica of claims.replicas.toSorted(byNodeId)) {
        const feed = this.#feed(intake, replica, controller.signal)
        feeds.push(feed)
        await feed.admitted
      }
      await this.#receive(intake, feeds)
      return await this.#finish(intake, feeds)
    } catch (error) {
      controller.abort(new TwofoldError('cancelled', 'the upload failed at its primary', { cause: error }))
      throw error
    } finally {
      release()
      // They read from the draft, and whoever is told of a failure may send the pack again at once.
      await Promise.allSettled(feeds.map((feed) => feed.delivered))
      await intake.close()
    }
  }

  #feed(intake: PackIntake, replica: NodeRef, signal: AbortSignal): ReplicaFeed {
    const { lengthBytes, ticket } = this.#order.header
    const replace = (failed: NodeRef, reason: unknown): Promise<{ ticket: Ticket; replica: NodeRef }> =>
      this.#replace(failed, reason, signal)
    const { peers, clock, random } = this.#deps
    const deps = { peers, clock, random, intake, lengthBytes, signal, replace }
    return new ReplicaFeed(deps, { ticket, replica })
  }

  async #receive(intake: PackIntake, feeds: readonly ReplicaFeed[]): Promise<void> {
    for await (const slice of this.#order.slices) {
      if (slice.length === 0) continue
      const offset = intake.received
      intake.check(slice)
      await Promise.all([intake.append(slice), ...feeds.map((feed) => this.#tolerate(feed.offer(slice, offset)))])
      for (const feed of feeds) feed.appended()
    }
  }

  /** A replica that nobody could replace is no reason to stop while enough others are left: the end counts. */
  async #tolerate(offered: Promise<void>): Promise<void> {
    const { copies, minCopies } = this.#order.claims
    try {
      await offered
    } catch (error) {
      if (copies === minCopies || !isTwofoldError(error, 'not-enough-nodes', 'no-room')) throw error
    }
  }

  /** Own fsync and the replicas' overlap. */
  async #finish(intake: PackIntake, feeds: readonly ReplicaFeed[]): Promise<UploadResult> {
    const { claims } = this.#order
    const [received, ...outcomes] = await Promise.all([
      intake.seal(),
      ...feeds.map((feed) => feed.delivered.catch((error: unknown) => ({ error }))),
    ])
    const delivered = outcomes.filter((outcome) => 'receipt' in outcome)
    try {
      if (delivered.length + 1 < claims.minCopies) throw tooFew(claims, outcomes)
      const receipts = [this.#deps.receiptFor(received, claims), ...delivered.map(({ receipt }) => receipt)]
      await this.#commit(received, receipts)
      return { receipts, nodes: [claims.primary, ...delivered.map(({ node }) => node)] }
    } catch (error) {
      if (isTwofoldError(error, ...refusals, 'not-enough-nodes', 'no-room', 'overloaded'))
        await this.#rollBack(received)
      throw error
    }
  }

  async #commit(received: ReceivedPack, receipts: readonly Receipt[]): Promise<void> {
    const { manager } = this.#deps
    const { signal } = this.#order
    const request = { ticket: this.#ticket, receipts, entries: received.entries }
    await persistently(() => manager.commitPack(request, { signal }), {
      ...this.#deps,
      signal,
      patienceMs: ticketLifeMs,
    })
  }

  /**
   * What this upload wrote is certainly not committed, so it may go: unless a recovery was told of it meanwhile, which
   * takes it for committed. What was there before may well be.
   */
  async #rollBack({ pack, fresh }: ReceivedPack): Promise<void> {
    const { store, writes, logger } = this.#deps
    if (!fresh || !writes.mayTakeBack(pack.packId)) return
    logger.warn('a pack is rolled back', { packId: pack.packId })
    await store.remove(pack.packId, { putSequenceMax: pack.putSequence })
  }

  /** One at a time: each replacement needs the ticket of the one before. */
  #replace(failed: NodeRef, reason: unknown, signal: AbortSignal): Promise<{ ticket: Ticket; replica: NodeRef }> {
    const { manager, logger } = this.#deps
    logger.warn('a replica failed while a pack was streaming', { replica: failed.name, error: reason })
    return this.#replacing.run(async () => {
      const request = { ticket: this.#ticket, failedNodeId: failed.nodeId, reason: describeError(reason) }
      const replacement = await persistently(() => manager.replaceReplica(request, { signal }), {
        ...this.#deps,
        signal,
      })
      this.#ticket = replacement.ticket
      return replacement
    }, signal)
  }
}

function byNodeId(left: NodeRef, right: NodeRef): number {
  return left.nodeId < right.nodeId ? -1 : 1
}

function tooFew(claims: TicketClaims, outcomes: readonly (object | { readonly error: unknown })[]): TwofoldError {
  const failure = outcomes.find((outcome) => 'error' in outcome) as { readonly error: unknown } | undefined
  if (isTwofoldError(failure?.error, 'no-room', 'overloaded')) return failure.error
  return new TwofoldError(
    'not-enough-nodes',
    `not enough nodes: pack ${claims.packId} could not be made durable on ${claims.minCopies} of them`,
    { cause: failure?.error },
  )
}
