import { TwofoldError } from '../core/errors.ts'
import type { NodeId } from '../core/ids.ts'
import type { AbandonPackRequest, PackFate } from '../core/messages.ts'
import type { NodeRef } from '../core/model.ts'
import { readTicketUnchecked } from '../format/tickets.ts'
import type { CatalogueReader, CatalogueWriter } from './catalogue.ts'
import type { PackRow, SessionRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { orderDrop } from './drop-orders.ts'
import { findSession } from './session-guard.ts'

export async function abandonPack(context: ManagerContext, request: AbandonPackRequest): Promise<PackFate> {
  const { session, packId } = request
  const fate = await context.catalogue.write(async (tx) => {
    const owner = await findSession(tx, session)
    const pack = await tx.packs.find(packId)
    if (pack === undefined || pack.session !== owner.id) {
      throw new TwofoldError('not-found', `the session never had a pack ${packId}`)
    }
    if (pack.state === 'open') await abandon(context, tx, pack)
    const committed = pack.state === 'committed' || pack.state === 'condemned'
    return { committed, nodes: committed ? await holders(tx, pack) : [] }
  })
  context.leases.renew(session.sessionId)
  context.members.settle(packId)
  if (!fate.committed) context.logger.info('a pack was abandoned', { pack: packId, reason: request.reason })
  return {
    committed: fate.committed,
    nodes: fate.nodes.map((node) => context.members.byRow(node)?.ref).filter((ref) => ref !== undefined),
  }
}

async function holders(tx: CatalogueReader, pack: PackRow): Promise<number[]> {
  const [copies] = await tx.copies.of([pack.id])
  return (copies ?? []).map((copy) => copy.node)
}

/** Abandons what a session that ends has not settled, and forgets how its packs were sent. @returns the abandoned. */
export async function closePacks(
  context: ManagerContext,
  tx: CatalogueWriter,
  session: SessionRow,
): Promise<PackRow[]> {
  const packs = await tx.packs.openOfSession(session.id)
  for (const pack of packs) await abandon(context, tx, pack)
  await tx.packs.forgetPipelines(session.id)
  return packs
}

async function abandon(context: ManagerContext, tx: CatalogueWriter, pack: PackRow): Promise<void> {
  await tx.packs.settle(pack.id, { state: 'abandoned', lengthBytes: pack.lengthBytes })
  await orderDrops(context, tx, pack, new Set())
}

/**
 * Orders every store that a pipeline of the pack ever led to to remove what it has of it, except on nodes in `keep`.
 * The orders name no put: whatever is sealed under a later generation survives.
 */
export async function orderDrops(
  context: ManagerContext,
  tx: CatalogueWriter,
  pack: PackRow,
  keep: ReadonlySet<NodeId>,
): Promise<void> {
  for (const node of await pipelineNodes(tx, pack)) {
    const row = await tx.nodes.find(node.nodeId)
    // A store of another life has nothing of this pack.
    if (row === undefined || keep.has(node.nodeId) || row.ref.incarnation !== node.incarnation) continue
    await orderDrop(context, tx, {
      node: row.id,
      incarnation: node.incarnation,
      packId: pack.packId,
      putSequenceMax: 0,
      generationMax: pack.generation,
    })
  }
}

/** Every store that any pipeline of the pack led to, once. */
export async function pipelineNodes(tx: CatalogueReader, pack: PackRow): Promise<NodeRef[]> {
  const nodes = new Map<string, NodeRef>()
  for (const generation of await tx.packs.generations(pack.id)) {
    const claims = readTicketUnchecked(generation.ticket)
    for (const node of [claims.primary, ...claims.replicas]) nodes.set(`${node.nodeId} ${node.incarnation}`, node)
  }
  return [...nodes.values()]
}
