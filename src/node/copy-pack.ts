import type { Clock } from '../core/clock.ts'
import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { copySliceBytesMin, sliceBytes } from '../core/limits.ts'
import type { CopyPack } from '../core/messages.ts'
import type { Receipt } from '../core/model.ts'
import { TokenBucket } from '../core/token-bucket.ts'
import type { Custodian } from './custodian.ts'
import type { PackReader } from './pack-store.ts'
import type { PeerApi } from './peer-api.ts'
import { PassingCheck } from './verify-pack.ts'

export interface CopyDeps {
  readonly custodian: Custodian
  readonly peers: PeerApi
  readonly clock: Clock
}

/**
 * Sends this node's copy of a pack to another node. Every byte is read from the disk and checked on the way; the last
 * slice leaves only when all of the pack was found good, so the target can never seal a bad one.
 * @throws `not-found`; `integrity` when this copy is damaged, which is then put aside; `io` and `overloaded` when it
 *   cannot be opened; otherwise as `Replication.Replicate`.
 */
export async function copyPack(order: CopyPack, deps: CopyDeps, signal: AbortSignal): Promise<Receipt> {
  const { peers, clock, custodian } = deps
  const reader = await custodian.open(order.packId)
  const outgoing = new OutgoingPack(reader, custodian, { clock, bytesPerSecondMax: order.bytesPerSecondMax })
  try {
    const header = { ticket: order.ticket, lengthBytes: reader.pack.lengthBytes }
    return await peers.replicate(order.target, header, outgoing.slices(signal), { signal })
  } catch (error) {
    if (outgoing.failure !== undefined) throw outgoing.failure
    if (!isTwofoldError(error, 'integrity')) throw error
    // What was sent was good, so it was damaged on the way or there: nothing that speaks against this copy.
    throw new TwofoldError('unavailable', `${order.target.name} did not get what was sent: ${error.message}`, {
      cause: error,
    })
  } finally {
    await reader.close()
  }
}

class OutgoingPack {
  readonly #reader: PackReader
  readonly #check: PassingCheck
  readonly #pace: TokenBucket
  readonly #sliceLength: number
  /** Why this node could not send it; a broken stream says less. */
  failure: TwofoldError | undefined

  constructor(reader: PackReader, custodian: Custodian, rate: { clock: Clock; bytesPerSecondMax: number }) {
    this.#reader = reader
    this.#check = new PassingCheck(reader.pack, custodian)
    this.#pace = new TokenBucket(rate.clock, rate.bytesPerSecondMax)
    // At most a second's worth, so that a slow stream does not look like a dead one.
    this.#sliceLength = Math.min(sliceBytes, Math.max(copySliceBytesMin, rate.bytesPerSecondMax || sliceBytes))
  }

  async *slices(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { lengthBytes } = this.#reader.pack
    const buffer = Buffer.allocUnsafeSlow(Math.min(this.#sliceLength, lengthBytes))
    for (let offset = 0; offset < lengthBytes;) {
      const slice = buffer.subarray(0, lengthBytes - offset)
      await this.#pace.take(slice.length, signal)
      await this.#read(slice, offset)
      offset += slice.length
      yield slice
    }
  }

  async #read(slice: Uint8Array, offset: number): Promise<void> {
    try {
      await this.#reader.read(slice, offset)
      await this.#check.push(slice)
      if (offset + slice.length === this.#reader.pack.lengthBytes) await this.#check.finish()
    } catch (error) {
      // A part that the disk cannot give is damage: the copy is put aside either way.
      const damaged = isTwofoldError(error, 'io')
        ? new TwofoldError('integrity', error.message, { cause: error })
        : error
      this.failure = damaged instanceof TwofoldError ? damaged : undefined
      throw damaged
    }
  }
}
