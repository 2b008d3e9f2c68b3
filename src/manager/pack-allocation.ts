import { TwofoldError, invariant } from '../core/errors.ts'
import { randomHexId } from '../core/ids.ts'
import type { NodeId, PackId } from '../core/ids.ts'
import { openPacksPerSessionMax, packBytesMax, requestIdCharactersMax, ticketLifeMs } from '../core/limits.ts'
import type { AllocatePackRequest, Allocation, Replacement, ReplaceReplicaRequest } from '../core/messages.ts'
import type { NodeRef, Ticket, TicketClaims } from '../core/model.ts'
import { openTicket, readTicketUnchecked, signTicket } from '../format/tickets.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { SessionRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { placePack } from './placement.ts'
import { requireText } from './request-checks.ts'
import { requireOpen, requireSession } from './session-guard.ts'
import { vaultOf } from './vaults.ts'

export async function allocatePack(context: ManagerContext, request: AllocatePackRequest): Promise<Allocation> {
  requireText('the request id', request.requestId, requestIdCharactersMax)
  if (!Number.isSafeInteger(request.lengthBytes) || request.lengthBytes < 1 || request.lengthBytes > packBytesMax) {
    throw new TwofoldError(
      'invalid-argument',
      `a pack must have 1 to ${packBytesMax} bytes, not ${request.lengthBytes}`,
    )
  }
  const { ticket, fresh } = await context.catalogue.write(async (tx) => {
    const session = await requireSession(context, tx, request.session)
    const known = await tx.packs.byRequest(session.id, request.requestId)
    if (known === undefined) return { ticket: await allocate(context, tx, session, request), fresh: true }
    const first = (await tx.packs.generations(known.id)).at(0)
    invariant(first !== undefined, 'a pack has a first pipeline')
    return { ticket: first.ticket, fresh: false }
  })
  context.leases.renew(request.session.sessionId)
  const { packId, primary, replicas } = readTicketUnchecked(ticket)
  const nodes = [primary, ...replicas].map((node) => node.nodeId)
  if (fresh) context.members.hold(packId, request.lengthBytes, nodes)
  return { packId, ticket, primary, replicas }
}

async function allocate(
  context: ManagerContext,
  tx: CatalogueWriter,
  session: SessionRow,
  request: AllocatePackRequest,
): Promise<Ticket> {
  if ((await tx.packs.openOfSession(session.id)).length >= openPacksPerSessionMax) {
    throw new TwofoldError('overloaded', 'the session has too many packs in flight; settle some', {
      retryAfterMs: 1000,
    })
  }
  const vault = await vaultOf(tx, session.vault)
  const placement = {
    lengthBytes: request.lengthBytes,
    wanted: vault.copies,
    least: vault.minCopies,
    keep: [],
    first: request.primaryNodeId,
    avoid: new Set(request.excludeNodeIds),
    forbid: new Set<NodeId>(),
  }
  const chosen = placePack(context.members.candidates(), placement, context.random)
  const [primary, ...replicas] = chosen.map((nodeId) => refOf(context, nodeId))
  invariant(primary !== undefined, 'a placement has a primary')
  const packId = randomHexId<PackId>(context.random)
  const ticket = signTicket(
    {
      clusterId: context.identity.clusterId,
      vault: vault.name,
      vaultId: vault.vaultId,
      sessionId: session.sessionId,
      packId,
      generation: 1,
      lengthBytesMax: request.lengthBytes,
      copies: vault.copies,
      minCopies: vault.minCopies,
      primary,
      replicas,
      ...validity(context),
    },
    context.identity.signer,
  )
  const { requestId, lengthBytes } = request
  const pack = await tx.packs.add({ packId, vault: vault.id, session: session.id, requestId, lengthBytes })
  await tx.packs.addGeneration(pack, 1, { failedNodeId: '', ticket })
  return ticket
}

function refOf(context: ManagerContext, nodeId: NodeId): NodeRef {
  const row = context.members.find(nodeId)
  invariant(row !== undefined, 'a node that was chosen is known')
  return row.ref
}

function validity(context: ManagerContext): { expiresAtMs: number; epoch: number } {
  return { expiresAtMs: context.time.nowMs() + ticketLifeMs, epoch: context.identity.epoch }
}

export async function replaceReplica(context: ManagerContext, request: ReplaceReplicaRequest): Promise<Replacement> {
  const claims = openTicket(request.ticket, context.identity.signer.publicKey)
  if (claims.expiresAtMs < context.time.nowMs()) {
    throw new TwofoldError('permission-denied', `the ticket of pack ${claims.packId} has expired; allocate a new pack`)
  }
  if (!claims.replicas.some((replica) => replica.nodeId === request.failedNodeId)) {
    throw new TwofoldError('invalid-argument', `node ${request.failedNodeId} is no replica in this ticket`)
  }
  const ticket = await context.catalogue.write((tx) => replace(context, tx, claims, request.failedNodeId))
  const { packId, primary, replicas, lengthBytesMax } = readTicketUnchecked(ticket)
  context.leases.renew(claims.sessionId)
  const replica = replicas.find((node) => !claims.replicas.some((other) => other.nodeId === node.nodeId))
  invariant(replica !== undefined, 'a new pipeline has a new replica')
  context.members.hold(packId, lengthBytesMax, [primary.nodeId, replica.nodeId])
  const fields = { pack: packId, failed: request.failedNodeId, by: replica.name, reason: request.reason }
  context.logger.warn('a replica was replaced', fields)
  return { ticket, replica }
}

async function replace(
  context: ManagerContext,
  tx: CatalogueWriter,
  claims: TicketClaims,
  failed: NodeId,
): Promise<Ticket> {
  const pack = await tx.packs.find(claims.packId)
  if (pack?.state !== 'open') {
    throw new TwofoldError(
      'failed-precondition',
      `pack ${claims.packId} is no longer open; send its content in another`,
    )
  }
  const session = await tx.sessions.byId(pack.session)
  invariant(session !== undefined, 'a pack has a session')
  requireOpen(context, session)
  const generations = await tx.packs.generations(pack.id)
  const next = generations.find((other) => other.generation === claims.generation + 1)
  if (next?.failedNodeId === failed) return next.ticket
  if (next !== undefined) {
    throw new TwofoldError('failed-precondition', `pack ${claims.packId} has a newer pipeline; ask with its ticket`)
  }
  const remaining = claims.replicas.filter((replica) => replica.nodeId !== failed)
  const failures = generations.flatMap((other) => (other.failedNodeId === '' ? [] : [other.failedNodeId]))
  const placement = {
    lengthBytes: claims.lengthBytesMax,
    wanted: 1,
    least: 1,
    keep: [claims.primary, ...remaining].map((node) => node.nodeId),
    avoid: new Set<NodeId>(),
    forbid: new Set([failed, ...failures]),
  }
  const [chosen] = placePack(context.members.candidates(), placement, context.random)
  invariant(chosen !== undefined, 'a placement has a node')
  const replicas = claims.replicas.map((node) => (node.nodeId === failed ? refOf(context, chosen) : node))
  const generation = claims.generation + 1
  const ticket = signTicket({ ...claims, ...validity(context), generation, replicas }, context.identity.signer)
  await tx.packs.addGeneration(pack.id, generation, { failedNodeId: failed, ticket })
  return ticket
}
