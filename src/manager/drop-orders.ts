import { randomHexId } from '../core/ids.ts'
import type { Incarnation } from '../core/ids.ts'
import type { DropPack } from '../core/messages.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { ManagerContext } from './context.ts'

export interface Drop extends Pick<DropPack, 'packId' | 'putSequenceMax' | 'generationMax'> {
  /** Row of the node. */
  readonly node: number
  /** The life of its store in which the copy was put there. */
  readonly incarnation: Incarnation
  /** The entry of the log that it rests on: nodes are not told before enough of them know it. */
  readonly logSequence?: number
}

/** Orders a node to remove a pack up to a put or a generation, with the transaction that takes the copy away. */
export async function orderDrop(context: ManagerContext, tx: CatalogueWriter, drop: Drop): Promise<void> {
  const { node, logSequence, ...copy } = drop
  context.pendingOrders.giving(node)
  await tx.orders.add(node, {
    orderId: randomHexId(context.random),
    ...(logSequence === undefined ? {} : { logSequence }),
    action: { kind: 'drop-pack', ...copy },
  })
}
