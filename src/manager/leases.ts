import type { Clock } from '../core/clock.ts'
import type { SessionId } from '../core/ids.ts'

/** Until when each open session lives, on the monotonic clock. A lease that ran out is never renewed. */
export class Leases {
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #deadlines = new Map<SessionId, number>()

  constructor(clock: Clock, leaseMs: number, open: readonly SessionId[]) {
    this.#clock = clock
    this.#leaseMs = leaseMs
    for (const sessionId of open) this.begin(sessionId)
  }

  get size(): number {
    return this.#deadlines.size
  }

  begin(sessionId: SessionId): void {
    this.#deadlines.set(sessionId, this.#clock.monotonicMs() + this.#leaseMs)
  }

  alive(sessionId: SessionId): boolean {
    return (this.#deadlines.get(sessionId) ?? 0) > this.#clock.monotonicMs()
  }

  renew(sessionId: SessionId): void {
    if (this.alive(sessionId)) this.begin(sessionId)
  }

  end(sessionId: SessionId): void {
    this.#deadlines.delete(sessionId)
  }

  /** Up to `limit` whose lease ran out. */
  expired(limit: number): SessionId[] {
    const found: SessionId[] = []
    for (const sessionId of this.#deadlines.keys()) {
      if (found.length === limit) break
      if (!this.alive(sessionId)) found.push(sessionId)
    }
    return found
  }
}
