import { Admission } from '../core/admission.ts'
import type { Clock } from '../core/clock.ts'
import {
  packStreamBytes,
  packStreamBytesMin,
  readBytesAdmitted,
  readSliceBytes,
  readSliceBytesBusy,
  replicationBytesAdmitted,
  roomPatienceMs,
  roomWaitersMax,
  uploadBytesAdmitted,
} from '../core/limits.ts'

/** In bytes; the limits' unless given. */
export interface RoomSizes {
  readonly uploads?: number
  readonly replications?: number
  readonly reads?: number
  /** How long somebody waits for any of it, in milliseconds. */
  readonly patienceMs?: number
}

/**
 * What a node lets in at once: uploads, replications and reads, each by their bytes, and each with room of its own.
 *
 * Nobody waits in a circle. An upload has its room first, then asks its replicas for theirs, one after the other in the
 * order of their ids, and only then reads; whoever has room on a replica waits for nothing but that replica's disk and
 * the bytes of an upload that has all its room. Where a replica must be replaced in the middle, the wait has an end.
 */
export class NodeRoom {
  readonly #uploads: Admission
  readonly #replications: Admission
  readonly #reads: Admission

  constructor(clock: Clock, sizes: RoomSizes = {}) {
    const { uploads = uploadBytesAdmitted, replications = replicationBytesAdmitted, reads = readBytesAdmitted } = sizes
    const common = { clock, waitMs: sizes.patienceMs ?? roomPatienceMs, waitersMax: roomWaitersMax, who: 'this node' }
    this.#uploads = new Admission({ ...common, bytes: uploads })
    this.#replications = new Admission({ ...common, bytes: replications })
    this.#reads = new Admission({ ...common, bytes: reads })
  }

  /** Bytes that were let in and are not done yet. */
  get usedBytes(): number {
    return this.#uploads.usedBytes + this.#replications.usedBytes + this.#reads.usedBytes
  }

  /** @returns what to call when it is over. @throws `overloaded` */
  upload(lengthBytes: number, signal: AbortSignal): Promise<() => void> {
    return this.#uploads.enter(streamBytes(lengthBytes), signal)
  }

  /** As `upload`. */
  replication(lengthBytes: number, signal: AbortSignal): Promise<() => void> {
    return this.#replications.enter(streamBytes(lengthBytes), signal)
  }

  /**
   * Lets a read in. Many at once get shorter messages.
   * @param longest the length of its longest range
   * @returns how long its messages may be, and what to call when it is over. @throws `overloaded`
   */
  async read(longest: number, signal: AbortSignal | undefined): Promise<{ sliceBytes: number; leave: () => void }> {
    const most = this.#reads.quiet ? readSliceBytes : readSliceBytesBusy
    const sliceBytes = Math.min(most, longest)
    return { sliceBytes, leave: await this.#reads.enter(2 * sliceBytes, signal) }
  }
}

function streamBytes(lengthBytes: number): number {
  return Math.max(packStreamBytesMin, Math.min(packStreamBytes, lengthBytes))
}
