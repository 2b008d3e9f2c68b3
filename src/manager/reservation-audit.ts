import type { PackId } from '../core/ids.ts'
import { reservationAuditMs, reservationsPerAuditMax } from '../core/limits.ts'
import type { ManagerContext } from './context.ts'

/**
 * Gives back room that was promised to packs which are not on their way any more. Whoever settles a pack gives its room
 * back; but the answer of a transaction may be lost or late, and then a promise outlives its pack.
 */
export class ReservationAudit {
  readonly #context: ManagerContext
  #beganMs: number
  /** What was promised when it looked last: a promise that is new may be ahead of the answer that it rests on. */
  #before: ReadonlySet<PackId> = new Set()

  constructor(context: ManagerContext) {
    this.#context = context
    this.#beganMs = context.clock.monotonicMs()
  }

  /** Looks at the older promises when it is time to. */
  async step(): Promise<void> {
    const { clock, members, catalogue, repair } = this.#context
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#beganMs < reservationAuditMs) return
    this.#beganMs = nowMs
    const old = members.awaitedPacks().filter((packId) => this.#before.has(packId))
    const looked = old.slice(0, reservationsPerAuditMax)
    const over = await catalogue.read(async (tx) => {
      const found: PackId[] = []
      for (const packId of looked) if ((await tx.packs.find(packId))?.state !== 'open') found.push(packId)
      return found
    })
    const copied = new Set(repair.jobs().map((job) => job.packId))
    for (const packId of over) if (!copied.has(packId)) members.settle(packId)
    this.#before = new Set(members.awaitedPacks())
  }
}
