import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError } from '../core/errors.ts'
import type { Incarnation } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { DropPack, KeepCatalogue, Order, OrderAction, OrderResult, VerifyPack } from '../core/messages.ts'
import { copyPack } from './copy-pack.ts'
import type { Custodian } from './custodian.ts'
import type { NodeLease } from './node-lease.ts'
import type { PackStore } from './pack-store.ts'
import type { PeerApi } from './peer-api.ts'
import { verifyPack } from './verify-pack.ts'
import type { WritesInProgress } from './writes-in-progress.ts'

export interface OrdersDeps {
  readonly store: PackStore
  readonly custodian: Custodian
  readonly writes: WritesInProgress
  readonly peers: PeerApi
  readonly lease: NodeLease
  /** Of the store's present life. */
  readonly incarnation: () => Incarnation
  /** Reports all packs to the manager. */
  readonly sendInventory: (signal: AbortSignal) => Promise<void>
  /** Reports the log and the records of all packs. */
  readonly sendRecords: (signal: AbortSignal) => Promise<void>
  /** Fetches a copy of the catalogue. */
  readonly keepCatalogue: (order: KeepCatalogue) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

type Outcome = Pick<OrderResult, 'done' | 'problem'> & Partial<Pick<OrderResult, 'code' | 'receipt'>>

const done: Outcome = { done: true, problem: '' }

/** Carries out an order. Doing it twice is harmless. A failure is an answer: the manager gives the order again. */
export async function carryOut(order: Order, deps: OrdersDeps, signal: AbortSignal): Promise<OrderResult> {
  const { orderId, epoch, action } = order
  const undone = { orderId, done: false, code: undefined, receipt: undefined }
  if (epoch < deps.lease.epoch) return { ...undone, problem: 'a newer manager is known' }
  if (action.kind === 'unknown') {
    return { ...undone, code: 'unsupported', problem: 'this version of the program does not know the order' }
  }
  try {
    return { ...undone, ...(await obey(action, deps, signal)) }
  } catch (error) {
    if (!signal.aborted) deps.logger.error('an order failed', { orderId, error })
    const code = error instanceof TwofoldError ? error.code : undefined
    return { ...undone, problem: describeError(error), code }
  }
}

async function obey(action: OrderAction, deps: OrdersDeps, signal: AbortSignal): Promise<Outcome> {
  switch (action.kind) {
    case 'drop-pack':
      return dropPack(action, deps)
    case 'copy-pack':
      requireThisLife(action.incarnation, deps)
      return { ...done, receipt: await copyPack(action, deps, signal) }
    case 'verify-pack':
      return check(action, deps, signal)
    case 'send-inventory':
      await deps.sendInventory(signal)
      return done
    case 'send-records':
      await deps.sendRecords(signal)
      return done
    case 'keep-catalogue':
      await deps.keepCatalogue(action)
      return done
    case 'stop':
      // The heartbeat that tells this is the node's last.
      deps.logger.info('the manager orders this node to stop')
      return done
    case 'discard-damaged':
      // Another life of the store never had this copy.
      if (action.incarnation !== deps.incarnation()) return done
      await deps.store.discard(action.packId, action.putSequence)
      deps.logger.info('a damaged pack was discarded by order', { packId: action.packId })
      return done
  }
}

/** A copy of another life of the store is not here. */
function requireThisLife(incarnation: Incarnation, deps: OrdersDeps): void {
  if (incarnation === deps.incarnation()) return
  throw new TwofoldError('not-found', "the order is about another life of this node's store")
}

/** Damage is an answer too: the copy is put aside by then, and the heartbeat that tells this lists it. */
async function check(action: VerifyPack, deps: OrdersDeps, signal: AbortSignal): Promise<Outcome> {
  requireThisLife(action.incarnation, deps)
  const found = await verifyPack(deps.custodian, action.packId, { signal, expected: action.expected })
  return found.good ? done : { done: true, problem: found.problem }
}

async function dropPack(order: DropPack, deps: OrdersDeps): Promise<Outcome> {
  const { store, writes, logger } = deps
  const { packId, generationMax, putSequenceMax } = order
  if (order.incarnation !== deps.incarnation()) return done
  if (!(await writes.bar(packId, generationMax))) {
    return { done: false, problem: 'a newer generation of the pack is being written' }
  }
  const bound = putSequenceMax === 0 ? { generationMax } : { putSequenceMax }
  const had = store.stat(packId)
  if (!(await store.remove(packId, bound))) return { done: false, problem: 'a newer put of the pack is here' }
  if (had !== undefined) logger.info('a pack was dropped by order', { packId })
  return done
}
