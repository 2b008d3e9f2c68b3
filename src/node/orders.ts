import { TwofoldError, describeError } from '../core/errors.ts'
import type { Incarnation } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { DropPack, Order, OrderResult } from '../core/messages.ts'
import type { NodeLease } from './node-lease.ts'
import type { PackStore } from './pack-store.ts'
import type { WritesInProgress } from './writes-in-progress.ts'

export interface OrdersDeps {
  readonly store: PackStore
  readonly writes: WritesInProgress
  readonly lease: NodeLease
  readonly incarnation: Incarnation
  readonly logger: Logger
}

/** Carries out an order. Doing it twice is harmless. A failure is an answer: the manager gives the order again. */
export async function carryOut(order: Order, deps: OrdersDeps): Promise<OrderResult> {
  const { orderId, epoch, action } = order
  const undone = { orderId, done: false, code: undefined, receipt: undefined }
  if (epoch < deps.lease.epoch) return { ...undone, problem: 'a newer manager is known' }
  if (action.kind !== 'drop-pack') {
    return { ...undone, problem: 'this version of the program does not know the order' }
  }
  try {
    return { ...undone, ...(await dropPack(action, deps)) }
  } catch (error) {
    deps.logger.error('an order failed', { orderId, error })
    const code = error instanceof TwofoldError ? error.code : undefined
    return { ...undone, problem: describeError(error), code }
  }
}

async function dropPack(order: DropPack, deps: OrdersDeps): Promise<{ done: boolean; problem: string }> {
  const { store, writes, incarnation, logger } = deps
  const { packId, generationMax, putSequenceMax } = order
  // Another life of the store never had this copy.
  if (order.incarnation !== incarnation) return { done: true, problem: '' }
  if (!(await writes.bar(packId, generationMax))) {
    return { done: false, problem: 'a newer generation of the pack is being written' }
  }
  const bound = putSequenceMax === 0 ? { generationMax } : { putSequenceMax }
  const had = store.stat(packId)
  if (!(await store.remove(packId, bound))) return { done: false, problem: 'a newer put of the pack is here' }
  if (had !== undefined) logger.info('a pack was dropped by order', { packId })
  return { done: true, problem: '' }
}
