import type { Catalogue } from './catalogue.ts'
import type { OrderRow } from './catalogue-rows.ts'

/**
 * Which nodes have no orders waiting, so that their heartbeats need not ask the catalogue. It relies on this manager
 * being the only one that gives orders.
 */
export class PendingOrders {
  readonly #catalogue: Catalogue
  /** How many were given to each node since the start. */
  readonly #given = new Map<number, number>()
  /** That number when a node was seen to have none. */
  readonly #noneAt = new Map<number, number>()

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue
  }

  /** To be called in the transaction that gives an order, whatever becomes of it. */
  giving(node: number): void {
    this.#given.set(node, (this.#given.get(node) ?? 0) + 1)
  }

  /** Whether the node is known to have none. */
  hasNone(node: number): boolean {
    return this.#noneAt.get(node) === (this.#given.get(node) ?? 0)
  }

  /** The oldest orders of a node that it has not carried out. */
  async of(node: number, limit: number): Promise<readonly OrderRow[]> {
    // An order that is given while this reads makes the numbers differ, so the next heartbeat reads again.
    if (this.hasNone(node)) return []
    const given = this.#given.get(node) ?? 0
    const orders = await this.#catalogue.read((tx) => tx.orders.ofNode(node, limit))
    if (orders.length === 0) this.#noneAt.set(node, given)
    return orders
  }
}
