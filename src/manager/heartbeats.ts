import { asBuffer } from '../core/ids.ts'
import { ordersPerHeartbeatMax, passingOrdersPerHeartbeatMax } from '../core/limits.ts'
import type { Heartbeat, HeartbeatReply, Order, OrderResult } from '../core/messages.ts'
import { xorDigests } from '../format/copy-digest.ts'
import type { NodeRow } from './catalogue-rows.ts'
import { hearChecks } from './bad-copies.ts'
import type { ManagerContext } from './context.ts'
import { takeDamaged, takeProven } from './copy-reports.ts'
import { takeCopyResult, takeForgottenReceipt } from './copy-results.ts'
import type { PassingOrder } from './passing-orders.ts'
import { hearLog } from './lineage-watch.ts'
import { requireRegistered } from './registration.ts'

/** Takes in what a node says. Mostly that is nothing new, and then the catalogue is not asked. */
export async function takeHeartbeat(context: ManagerContext, heartbeat: Heartbeat): Promise<HeartbeatReply> {
  const row = requireRegistered(context, heartbeat)
  const newest = context.members.heard(heartbeat)
  // What a late one says may be true no more: a copy that it has a receipt for went. Its results came with a newer one.
  if (newest && heartbeat.results.length > 0) await takeResults(context, row, heartbeat.results)
  const log = await hearLog(context, row, heartbeat)
  if (newest) {
    context.catalogueCopies.answered(heartbeat.nodeId, heartbeat.results)
    hearChecks(context, row, heartbeat.results)
    if (heartbeat.damaged.length > 0 || context.damaged.has(row.id)) await takeDamaged(context, row, heartbeat.damaged)
    if (heartbeat.proven.length > 0) await takeProven(context, row, heartbeat.proven)
    await watchInventory(context, row, heartbeat)
  }
  return {
    leaseMs: context.timing.nodeLeaseMs,
    managerTimeMs: context.time.nowMs(),
    epoch: context.identity.epoch,
    orders: await ordersFor(context, row),
    state: context.members.state(heartbeat.nodeId),
    ...log,
  }
}

/** Whatever destroys something waits until the node is known to follow this catalogue, and the log that it rests on. */
async function ordersFor(context: ManagerContext, row: NodeRow): Promise<Order[]> {
  const { lineage, identity } = context
  const passing = context.orders
    .of(row.id, passingOrdersPerHeartbeatMax)
    .filter(({ action }) => action.kind !== 'discard-damaged' || (lineage.mayDelete && lineage.mayDestroy(row.id, 0)))
  const limit = ordersPerHeartbeatMax - passing.length
  const waiting = context.pendingOrders.hasNone(row.id) ? [] : await context.pendingOrders.of(row.id, limit)
  const durable = waiting.filter(({ logSequence = 0 }) => lineage.mayDestroy(row.id, logSequence))
  return [
    ...[...passing, ...durable].map(({ orderId, action }) => ({ orderId, action, epoch: identity.epoch })),
    ...context.catalogueCopies.orderFor(context, row.ref.nodeId),
    ...context.checks.ordersFor(row.id, identity.epoch),
  ]
}

/** A durable order that was not carried out stays, and is given again; any other is planned again when it is needed. */
async function takeResults(context: ManagerContext, row: NodeRow, results: readonly OrderResult[]): Promise<void> {
  const done: string[] = []
  for (const result of results) {
    const order = context.orders.take(row.id, result.orderId)
    if (!result.done) {
      const fields = { node: row.ref.name, order: result.orderId, problem: result.problem }
      context.logger.warn('a node did not carry out an order', fields)
    }
    if (order !== undefined) await takeResult(context, row, { order, result })
    else if (result.receipt !== undefined) await takeForgottenReceipt(context, result)
    else if (result.done) done.push(result.orderId)
  }
  if (done.length === 0) return
  await context.catalogue.write(async (tx) => {
    for (const orderId of done) {
      const order = await tx.orders.remove(row.id, orderId)
      if (order === undefined) continue
      const { packId, putSequenceMax } = order.action
      // With the order, not after it: a list that is taken in meanwhile finds the one or the other.
      context.inventories.went(row.id, packId, putSequenceMax === 0 ? Infinity : putSequenceMax)
    }
  })
}

interface Answered {
  readonly order: PassingOrder
  readonly result: OrderResult
}

async function takeResult(context: ManagerContext, row: NodeRow, { order, result }: Answered): Promise<void> {
  const { action } = order
  switch (action.kind) {
    case 'copy-pack':
      return await takeCopyResult(context, action, result)
    case 'send-inventory':
      return result.done ? context.inventories.answered(row.id) : undefined
    case 'discard-damaged':
      if (!result.done) return
      context.inventories.went(row.id, action.packId, action.putSequence)
      return await context.damaged.discarded(row.id, action)
    case 'stop':
      if (result.done) context.shutdown.stopped(row.id)
      return
    case 'verify-pack':
      // What is bad turns up among the damaged copies.
      return
  }
}

/** Asks for the list of the node's packs when it is time to. */
async function watchInventory(context: ManagerContext, row: NodeRow, heartbeat: Heartbeat): Promise<void> {
  const { inventories, orders, clock, members } = context
  if (orders.has(row.id, (action) => action.kind === 'send-inventory')) return
  const nowMs = clock.monotonicMs()
  if (comparesNow(context, row, heartbeat.inventoryDigest)) {
    await compareDigest(context, row, heartbeat.inventoryDigest)
  }
  if (!inventories.due(row.id, members.reported(row.ref.nodeId), nowMs)) return
  inventories.asked(row.id, nowMs)
  orders.give(row.id, { kind: 'send-inventory' })
}

/** Whether a digest is to be compared, which is only done while nothing is on its way to or from the node. */
function comparesNow(
  { inventories, clock, members, orders }: ManagerContext,
  row: NodeRow,
  digest: Uint8Array,
): boolean {
  if (members.receiving(row.ref.nodeId) || orders.has(row.id)) {
    inventories.busy(row.id)
    return false
  }
  return members.reported(row.ref.nodeId) && inventories.compares(row.id, digest, clock.monotonicMs())
}

/** Whether the node has what the catalogue says, as far as a digest tells. */
async function compareDigest(context: ManagerContext, row: NodeRow, digest: Uint8Array): Promise<void> {
  const { inventories, clock } = context
  const nowMs = clock.monotonicMs()
  const { copiesDigest, ordered } = await context.catalogue.read(async (tx) => ({
    copiesDigest: (await tx.nodes.inventory(row.id)).copiesDigest,
    ordered: await tx.orders.ofNode(row.id, 1),
  }))
  if (ordered.length > 0) return inventories.busy(row.id)
  const expected = xorDigests(copiesDigest, inventories.left(row.id))
  inventories.compared(row.id, asBuffer(expected).equals(digest), { digest, nowMs })
}
