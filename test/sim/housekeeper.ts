import { isTwofoldError } from '../../src/core/errors.ts'
import { trashWindowMs } from '../../src/core/limits.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import type { Acknowledged } from './oracle.ts'
import { Violation } from './violation.ts'
import { Actor } from './workload.ts'
import type { WorkloadDeps } from './workload.ts'

/** Who keeps house while backups run: forgets, undeletes, prunes, empties nodes and takes them into use again. */
export class Housekeeper extends Actor {
  /** The node that is being emptied. */
  #emptied: string | undefined

  constructor(deps: WorkloadDeps) {
    super(deps, new SeededRandom(deps.profile.seed * 53 + 5))
  }

  protected act(choice: number): Promise<void> {
    if (choice < 0.2) return this.#forgetOne()
    if (choice < 0.4) return this.#forgetMachine()
    if (choice < 0.55) return this.#undelete()
    if (choice < 0.85) return this.#prune()
    return choice < 0.97 ? this.#drain() : this.#rebalance()
  }

  /** At once, or into the trash. */
  async #forget(snapshots: readonly Acknowledged[], now: boolean): Promise<void> {
    if (snapshots.length === 0) return
    const { oracle, profile } = this.deps
    // By a clock that jumps the time in the trash may be over at any moment.
    const lasting = !now && !profile.kinds.includes('clock-jump')
    const windowMs = lasting ? (profile.timing.trashWindowMs ?? trashWindowMs) : 0
    const forgotten = snapshots.map((snapshot) => oracle.forgetting(snapshot, windowMs))
    const ids = snapshots.map(({ id }) => id)
    const answer = await this.asClient((client) => client.forget({ ids, now }))
    if (answer === undefined) return
    for (const one of forgotten) one.answered = true
    this.counts.forgotten += snapshots.length
  }

  async #forgetOne(): Promise<void> {
    const snapshot = this.pick(this.deps.oracle.acknowledged)
    if (snapshot !== undefined) await this.#forget([snapshot], this.random.fraction() < 0.5)
  }

  /** All of one machine, so that what its next snapshot relies on is garbage until that is committed. */
  async #forgetMachine(): Promise<void> {
    const { oracle } = this.deps
    const machine = (snapshot: Acknowledged): string => snapshot.files.keys().next().value?.split('/')[0] ?? ''
    const one = this.pick(oracle.acknowledged)
    if (one === undefined) return
    const all = oracle.acknowledged.filter((snapshot) => machine(snapshot) === machine(one))
    await this.#forget(all, this.random.fraction() < 0.8)
    await this.#prune()
  }

  async #undelete(): Promise<void> {
    const { oracle, world } = this.deps
    const forgotten = this.pick(oracle.forgotten.filter(({ answered }) => answered))
    if (forgotten === undefined) return
    const { snapshot, keptUntilMs } = forgotten
    try {
      const done = await this.asClient(async (client) => {
        await client.undelete({ ids: [snapshot.id] })
        return true
      })
      if (done === undefined || !oracle.forgotten.includes(forgotten)) return
      oracle.undeleted(forgotten)
      this.counts.undeleted += 1
    } catch (error) {
      const gone = isTwofoldError(error, 'not-found') || /removed for good/.test(String(error))
      if (!gone || keptUntilMs <= world.scheduler.nowMs) throw error
      throw new Violation('I6', `snapshot ${snapshot.id} was removed before its time in the trash was over`)
    }
  }

  async #prune(): Promise<void> {
    const noRepack = this.random.fraction() < 0.5
    const done = await this.asClient((client) => client.prune({ unusedPermilleMax: 0, noRepack }))
    if (done !== undefined) this.counts.pruned += 1
  }

  /** Or takes the node that was emptied last into use again. */
  async #drain(): Promise<void> {
    const emptied = this.#emptied
    if (emptied === undefined) {
      const node = this.pick(this.deps.world.nodes)?.name ?? ''
      this.#emptied = node
      if ((await this.asClient((client) => client.drainNode(node))) !== undefined) this.counts.drained += 1
    } else if ((await this.asClient((client) => client.resumeNode(emptied))) !== undefined) {
      this.#emptied = undefined
    }
  }

  async #rebalance(): Promise<void> {
    await this.asClient((client) => client.rebalance())
  }
}
