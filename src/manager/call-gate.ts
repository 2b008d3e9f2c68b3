import { Admission } from '../core/admission.ts'
import type { Clock } from '../core/clock.ts'
import {
  managerPatienceMs,
  managerReportBytes,
  managerReportsBytes,
  managerWorkBytes,
  roomWaitersMax,
} from '../core/limits.ts'
import type { CallOptions } from '../core/model.ts'

/** In bytes; the limits' unless given. */
export interface GateSizes {
  readonly work?: number
  readonly reports?: number
}

/** What the work for one chunk of a question, and for one record of a commit, counts for. */
export const bytesPerChunk = 64
export const bytesPerRecord = 128
/** What a commit of a snapshot counts for: it may look at many packs, in slices. */
export const bytesPerSnapshot = 64 * 1024

/**
 * Where calls wait that keep the catalogue busy: look-ups, commits, reports. Only so much of their work is in the queue
 * of the catalogue at once, and everybody else has right of way: heartbeats, leases and all that is small wait for that
 * much at the most, however many clients there are.
 */
export class CallGate {
  readonly #clock: Clock
  readonly #work: Admission
  readonly #reports: Admission

  constructor(clock: Clock, sizes: GateSizes = {}) {
    const { work = managerWorkBytes, reports = managerReportsBytes } = sizes
    const common = { clock, waitMs: managerPatienceMs, waitersMax: roomWaitersMax, who: 'the manager' }
    this.#clock = clock
    this.#work = new Admission({ ...common, bytes: work })
    this.#reports = new Admission({ ...common, bytes: reports })
  }

  /** @throws `overloaded` before anything of it was done; otherwise as `work` */
  async run<T>(bytes: number, options: CallOptions | undefined, work: () => Promise<T>): Promise<T> {
    const leave = await this.#work.enter(bytes, options?.signal)
    try {
      // Whoever came meanwhile and need not wait here goes first.
      if (this.#work.waiting > 0) await this.#clock.yield()
      return await work()
    } finally {
      leave()
    }
  }

  /** For what a node sends in a stream: nothing of it is read before. @throws as `run` */
  async receive<T>(options: CallOptions | undefined, work: () => Promise<T>): Promise<T> {
    const leave = await this.#reports.enter(managerReportBytes, options?.signal)
    return work().finally(leave)
  }
}
