import { roomWaitMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { isTwofoldError } from '../core/errors.ts'
import { replicaRoomPatienceMs, sliceBytes } from '../core/limits.ts'
import type { CallOptions, NodeRef, Receipt, Ticket } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { PackIntake } from './pack-intake.ts'
import type { PeerApi } from './peer-api.ts'

export interface FeedDeps {
  readonly peers: PeerApi
  readonly intake: PackIntake
  readonly lengthBytes: number
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly random: Random
  /** Asks for a node in place of one that failed. @throws when there is none. */
  readonly replace: (failed: NodeRef, reason: unknown) => Promise<{ ticket: Ticket; replica: NodeRef }>
}

/** A receipt, and the node that gave it. */
export interface Delivered {
  readonly node: NodeRef
  readonly receipt: Receipt
}

/**
 * Forwards a pack to one replica while it arrives. When the replica fails, another takes its place: it is sent what
 * is already in this node's own file, then goes on with what arrives. At most one slice is held in memory.
 */
export class ReplicaFeed {
  readonly #deps: FeedDeps
  readonly #outcome: Promise<Delivered>
  /** The newest slice, not yet passed on. Everything before it is in the file. */
  #live: { readonly slice: Uint8Array; readonly offset: number } | undefined
  /** Counts the replicas that were tried; a stream of an earlier one must not take slices any more. */
  #attempt = 0
  #wake: (() => void) | undefined
  #passedOn: (() => void) | undefined
  #over = false
  readonly #admitted = Promise.withResolvers<void>()

  constructor(deps: FeedDeps, first: { ticket: Ticket; replica: NodeRef }) {
    this.#deps = deps
    this.#outcome = this.#deliver(first).finally(() => {
      this.#over = true
      this.#passedOn?.()
    })
    // It is awaited by `delivered`; until then a rejection is not an unhandled one.
    this.#outcome.catch((error: unknown) => {
      if (isTwofoldError(error, 'overloaded')) this.#admitted.reject(error)
      else this.#admitted.resolve()
    })
    this.#admitted.promise.catch(() => undefined)
  }

  /**
   * Resolves when a replica has room for the pack, or when nobody could be found: `offer` and `delivered` tell why.
   * @throws `overloaded` when none was free in time.
   */
  get admitted(): Promise<void> {
    return this.#admitted.promise
  }

  /** Resolves with the receipt of whoever took the whole pack. @throws when nobody could be found to take it. */
  get delivered(): Promise<Delivered> {
    return this.#outcome
  }

  /**
   * Passes the next slice on and resolves when it was taken. What was offered before must be in the file.
   * @throws when nobody could be found to take it.
   */
  async offer(slice: Uint8Array, offset: number): Promise<void> {
    this.#live = { slice, offset }
    this.#wake?.()
    while (this.#live !== undefined && !this.#over) {
      await new Promise<void>((resolve) => (this.#passedOn = resolve))
    }
    if (this.#live !== undefined) await this.#outcome
  }

  /** To be called when what was offered is in the file: a replica that took over late finds it there. */
  appended(): void {
    this.#wake?.()
  }

  async #deliver(first: { ticket: Ticket; replica: NodeRef }): Promise<Delivered> {
    const { signal, replace } = this.#deps
    let { ticket, replica } = first
    for (;;) {
      try {
        return { node: replica, receipt: await this.#replicate(ticket, replica) }
      } catch (error) {
        if (signal.aborted || isTwofoldError(error, 'cancelled', 'overloaded')) throw error
        const next = await replace(replica, error)
        ticket = next.ticket
        replica = next.replica
      }
    }
  }

  /** A replica that has no room is not failed: it is asked again, for a while. */
  async #replicate(ticket: Ticket, replica: NodeRef): Promise<Receipt> {
    const { peers, lengthBytes, signal, clock, random } = this.#deps
    const options: CallOptions = { signal }
    const until = clock.monotonicMs() + replicaRoomPatienceMs
    for (let refusals = 0; ; refusals++) {
      try {
        return await peers.replicate(replica, { ticket, lengthBytes }, this.#slices(++this.#attempt), options)
      } catch (error) {
        if (signal.aborted || !isTwofoldError(error, 'overloaded')) throw error
        const waitMs = roomWaitMs(error.retryAfterMs, refusals, random)
        if (clock.monotonicMs() + waitMs > until) throw error
        await clock.sleep(waitMs, signal)
      }
    }
  }

  async *#slices(attempt: number): AsyncGenerator<Uint8Array> {
    const { intake, lengthBytes } = this.#deps
    let sent = 0
    // It was asked for the first slice, so the replica has room.
    this.#admitted.resolve()
    while (sent < lengthBytes && attempt === this.#attempt) {
      // The newest slice may be in the file already, but only passing it on from memory lets the next one come.
      const inFile = Math.min(intake.received, this.#live?.offset ?? lengthBytes)
      if (this.#live?.offset === sent) {
        const { slice } = this.#live
        yield slice
        sent += slice.length
        this.#live = undefined
        this.#passedOn?.()
      } else if (sent < inFile) {
        const part = new Uint8Array(Math.min(sliceBytes, inFile - sent))
        const read = await intake.read(part, sent)
        yield part.subarray(0, read)
        sent += read
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    }
  }
}
