import type { Clock } from '../core/clock.ts'
import { randomHexId } from '../core/ids.ts'
import {
  badCopiesPerNodeMax,
  checkAgainAfterMs,
  checkAttemptsMax,
  checksPerHeartbeatMax,
  checksRememberedMax,
} from '../core/limits.ts'
import type { Order, OrderResult, VerifyPack } from '../core/messages.ts'
import type { Random } from '../core/random.ts'

interface Check {
  readonly orderId: string
  readonly action: VerifyPack
  failures: number
}

/** What a node said of a copy that it was ordered to check. */
export interface CheckVerdict {
  readonly action: VerifyPack
  readonly result: OrderResult
}

/**
 * Copies that nodes are to check because somebody could not read them. Nothing of it survives a restart: who still
 * cannot read a copy reports it again. A bad copy turns up among the node's damaged ones, not here.
 */
export class CopyChecks {
  readonly #clock: Clock
  readonly #random: Random
  readonly #byNode = new Map<number, Map<string, Check>>()
  /** When copies were checked, monotonic. */
  readonly #checked = new Map<string, number>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** @returns whether it is going to be checked: not when it just was, and not when too many wait. */
  order(node: number, copy: Omit<VerifyPack, 'kind'>): boolean {
    const waiting = this.#byNode.get(node) ?? new Map<string, Check>()
    if (waiting.get(copy.packId)?.action.incarnation === copy.incarnation) return true
    const checkedMs = this.#checked.get(keyOf(node, copy)) ?? -Infinity
    if (this.#clock.monotonicMs() - checkedMs < checkAgainAfterMs) return false
    if (waiting.size >= badCopiesPerNodeMax) return false
    const action: VerifyPack = { kind: 'verify-pack', ...copy }
    waiting.set(copy.packId, { orderId: `check-${randomHexId<string>(this.#random)}`, action, failures: 0 })
    this.#byNode.set(node, waiting)
    return true
  }

  /** What the node is to do with its next heartbeat; the same again until it answers. */
  ordersFor(node: number, epoch: number): Order[] {
    const waiting = [...(this.#byNode.get(node)?.values() ?? [])].slice(0, checksPerHeartbeatMax)
    return waiting.map(({ orderId, action }) => ({ orderId, epoch, action }))
  }

  /** Takes the node's answers in. @returns those that settle a check */
  answered(node: number, results: readonly OrderResult[]): CheckVerdict[] {
    const waiting = this.#byNode.get(node)
    if (waiting === undefined) return []
    const byOrder = new Map([...waiting.values()].map((check) => [check.orderId, check]))
    return results.flatMap((result) => {
      const check = byOrder.get(result.orderId)
      if (check === undefined) return []
      check.failures += result.done ? 0 : 1
      // A node that does not have the copy has answered, too.
      const over = result.done || result.code === 'not-found' || check.failures >= checkAttemptsMax
      if (!over) return []
      waiting.delete(check.action.packId)
      this.#remember(keyOf(node, check.action))
      return [{ action: check.action, result }]
    })
  }

  #remember(key: string): void {
    this.#checked.delete(key)
    this.#checked.set(key, this.#clock.monotonicMs())
    const [oldest] = this.#checked.keys()
    if (this.#checked.size > checksRememberedMax && oldest !== undefined) this.#checked.delete(oldest)
  }
}

function keyOf(node: number, { packId, incarnation }: Omit<VerifyPack, 'kind'>): string {
  return `${node} ${incarnation} ${packId}`
}
