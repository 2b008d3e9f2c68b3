import { isTwofoldError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import { repairLookAgainMax } from '../core/limits.ts'
import type { CopyPack, OrderResult } from '../core/messages.ts'
import type { Receipt } from '../core/model.ts'
import type { ManagerContext } from './context.ts'
import { takeReceipt } from './copy-receipt.ts'
import type { TakenReceipt } from './copy-receipt.ts'
import { notedWrite } from './noted-write.ts'
import { planRepairs } from './repair.ts'
import type { CopyJob } from './repair-state.ts'

type Failure = Pick<OrderResult, 'code' | 'problem'>

/** What became of a copy from node to node. The pack is looked at again, and the places that are free are used. */
export async function takeCopyResult(context: ManagerContext, action: CopyPack, result: OrderResult): Promise<void> {
  const { repair } = context
  const job = repair.settle(result.orderId)
  if (job === undefined) return await takeForgottenReceipt(context, result)
  context.members.settle(action.packId)
  try {
    const outcome = result.receipt === undefined ? result : await enter(context, result.receipt)
    if ('pack' in outcome) {
      repair.succeeded(job)
      context.durability.copiesChanged()
      context.logger.info('a copy was made', { pack: job.packId, to: action.target.name })
    } else {
      fail(context, job, outcome)
    }
  } finally {
    repair.queue.add('last-copy', job)
  }
  await planRepairs(context, repairLookAgainMax)
}

async function enter(context: ManagerContext, receipt: Receipt): Promise<TakenReceipt | Failure> {
  try {
    const taken = await notedWrite(context, (tx) => takeReceipt(tx, receipt))
    return taken ?? { code: undefined, problem: 'the receipt is outdated' }
  } catch (error) {
    // What a node signed is wrong or cannot be read: its fault, not the manager's.
    if (!isTwofoldError(error, 'permission-denied', 'integrity', 'invalid-argument')) throw error
    return { code: error.code, problem: error.message }
  }
}

function fail(context: ManagerContext, job: CopyJob, { code, problem }: Failure): void {
  const { repair, orders, inventories, clock } = context
  const fields = { pack: job.packId, code: code ?? '', problem }
  context.logger.warn('a copy could not be made; it is tried again', fields)
  const blame = blameOf(code)
  const { source, target } = job
  repair.failed(job.pack, clock.monotonicMs(), {
    ...(blame.source ? { source } : {}),
    ...(blame.target ? { target } : {}),
  })
  if (code === 'not-found') inventories.want(source)
  // Damage that it came across it has put aside; it is to look at the rest, too.
  if (code !== 'integrity') return
  const incarnation = context.members.byRow(source)?.ref.incarnation
  if (incarnation !== undefined) orders.give(source, { kind: 'verify-pack', packId: job.packId, incarnation })
}

/** Which of the two nodes had better not be asked again. */
function blameOf(code: ErrorCode | undefined): { readonly source: boolean; readonly target: boolean } {
  switch (code) {
    case 'integrity':
    case 'not-found':
      return { source: true, target: false }
    case 'no-room':
    case 'unavailable':
    case 'deadline-exceeded':
    case 'overloaded':
    case 'read-only':
    case 'already-exists':
    case 'not-registered':
      return { source: false, target: true }
    case 'io':
      return { source: true, target: true }
    default:
      return { source: false, target: false }
  }
}

/**
 * The answer to an order that nobody waits for: it was given up, or given before a restart. What its receipt says holds
 * all the same, and the list of the node that signed it says whether it still does.
 */
export async function takeForgottenReceipt(context: ManagerContext, result: OrderResult): Promise<void> {
  if (result.receipt === undefined || context.repair.isSettled(result.orderId)) return
  const outcome = await enter(context, result.receipt)
  if (!('pack' in outcome)) {
    context.logger.warn('a receipt was not accepted', { order: result.orderId, problem: outcome.problem })
    return
  }
  context.inventories.want(outcome.node)
  context.durability.copiesChanged()
  const { id: pack, lengthBytes } = outcome.pack
  context.repair.queue.add('surplus', { pack, lengthBytes })
}
