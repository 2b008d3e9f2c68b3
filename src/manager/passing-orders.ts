import { randomHexId } from '../core/ids.ts'
import type { CopyPack, DiscardDamaged, SendInventory, StopNode, VerifyPack } from '../core/messages.ts'
import type { Random } from '../core/random.ts'

export type PassingAction = CopyPack | VerifyPack | SendInventory | DiscardDamaged | StopNode

export interface PassingOrder {
  readonly orderId: string
  /** Row of the node. */
  readonly node: number
  readonly action: PassingAction
}

/**
 * Orders that nothing durable stands behind: after a restart they are planned again from what is there. Each is on
 * every reply to its node until its result comes, or until the node registers anew.
 */
export class PassingOrders {
  readonly #random: Random
  readonly #byNode = new Map<number, Map<string, PassingOrder>>()

  constructor(random: Random) {
    this.#random = random
  }

  give(node: number, action: PassingAction): string {
    const orderId = randomHexId<string>(this.#random)
    const orders = this.#byNode.get(node) ?? new Map<string, PassingOrder>()
    this.#byNode.set(node, orders.set(orderId, { orderId, node, action }))
    return orderId
  }

  /** The oldest of a node. */
  of(node: number, limit: number): PassingOrder[] {
    return [...(this.#byNode.get(node)?.values() ?? [])].slice(0, limit)
  }

  /** Whether the node has an order that `matches`; any when it is left out. */
  has(node: number, matches: (action: PassingAction) => boolean = () => true): boolean {
    return this.of(node, Infinity).some(({ action }) => matches(action))
  }

  /** Forgets an order, because its result came or nobody waits for it any more. @returns what it was. */
  take(node: number, orderId: string): PassingOrder | undefined {
    const orders = this.#byNode.get(node)
    const order = orders?.get(orderId)
    orders?.delete(orderId)
    return order
  }

  /** Forgets all orders of a node. @returns what they were. */
  dropNode(node: number): PassingOrder[] {
    const dropped = this.of(node, Infinity)
    this.#byNode.delete(node)
    return dropped
  }
}
