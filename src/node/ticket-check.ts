import { TwofoldError } from '../core/errors.ts'
import type { ClusterId, Incarnation, NodeId } from '../core/ids.ts'
import { clockSkewMs, replicasMax } from '../core/limits.ts'
import type { NodeRef, Ticket, TicketClaims } from '../core/model.ts'
import { openTicket } from '../format/tickets.ts'
import type { NodeLease } from './node-lease.ts'

/** What a node knows of itself and its cluster, from its identity and its registration. */
export interface Membership {
  readonly nodeId: NodeId
  readonly incarnation: Incarnation
  readonly clusterId: ClusterId
  /** Ed25519, 32 bytes. */
  readonly managerPublicKey: Uint8Array
}

/**
 * The claims of a ticket that is valid here and now, for a pack of `lengthBytes`.
 * @throws `permission-denied` when it is forged, expired or of another cluster, `invalid-argument` for the length.
 */
export function checkTicket(
  ticket: Ticket,
  lengthBytes: number,
  { membership, lease }: { membership: Membership; lease: NodeLease },
): TicketClaims {
  const claims = openTicket(ticket, membership.managerPublicKey)
  if (claims.clusterId !== membership.clusterId) {
    throw new TwofoldError('permission-denied', `the ticket of pack ${claims.packId} belongs to another cluster`)
  }
  if (claims.expiresAtMs + clockSkewMs < lease.managerNowMs()) {
    throw new TwofoldError('permission-denied', `the ticket of pack ${claims.packId} has expired; allocate a new pack`)
  }
  if (lengthBytes < 1 || lengthBytes > claims.lengthBytesMax) {
    const allowed = `1 to ${claims.lengthBytesMax} bytes`
    throw new TwofoldError('invalid-argument', `the ticket allows a pack of ${allowed}, not ${lengthBytes}`)
  }
  return claims
}

/** @throws `permission-denied` unless one of `nodes` is this node, in its present life. */
export function requireNamed(nodes: readonly NodeRef[], role: string, membership: Membership): void {
  const named = nodes.some((node) => node.nodeId === membership.nodeId && node.incarnation === membership.incarnation)
  if (!named) throw new TwofoldError('permission-denied', `the ticket does not name this node's store as ${role}`)
}

/**
 * @throws `invalid-argument` unless the replicas that a client wants are the ticket's, are not too many, do not repeat
 * and do not contain the primary.
 */
export function checkPipeline(replicas: readonly NodeRef[], claims: TicketClaims): void {
  const invalid = (message: string): TwofoldError => new TwofoldError('invalid-argument', message)
  if (replicas.length > replicasMax) {
    throw invalid(`an upload may name at most ${replicasMax} replicas, not ${replicas.length}`)
  }
  if (replicas.length + 1 < claims.minCopies) {
    throw invalid(`the vault wants ${claims.minCopies} copies before a write is done; name enough replicas`)
  }
  const ids = new Set(replicas.map((node) => node.nodeId))
  if (ids.has(claims.primary.nodeId)) throw invalid('a replica must not be the primary')
  if (ids.size !== replicas.length) throw invalid('a replica is named twice')
  const expected = claims.replicas.map((node) => node.nodeId)
  if (expected.length !== replicas.length || !expected.every((nodeId) => ids.has(nodeId))) {
    throw invalid('the replicas must be the ones that the ticket names')
  }
}
