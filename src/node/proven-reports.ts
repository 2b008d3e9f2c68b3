import type { PackId } from '../core/ids.ts'
import { provenPerHeartbeatMax, provenWaitingMax } from '../core/limits.ts'
import type { ProvenCopy } from '../core/messages.ts'

/** Proofs that the manager has not heard of. The newest of a pack counts; beyond the limit the oldest are dropped. */
export class ProvenReports {
  readonly #waiting = new Map<PackId, ProvenCopy>()

  add(copy: ProvenCopy): void {
    // Entered anew, so that the order is that of the proofs.
    this.#waiting.delete(copy.packId)
    this.#waiting.set(copy.packId, copy)
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size > provenWaitingMax && oldest !== undefined) this.#waiting.delete(oldest)
  }

  /** What the next heartbeat is to carry. */
  next(): ProvenCopy[] {
    return [...this.#waiting.values().take(provenPerHeartbeatMax)]
  }

  /** What a heartbeat carried that was answered. */
  answered(copies: readonly ProvenCopy[]): void {
    for (const copy of copies) if (this.#waiting.get(copy.packId) === copy) this.#waiting.delete(copy.packId)
  }
}
