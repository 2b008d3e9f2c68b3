import { TwofoldError } from '../core/errors.ts'
import type { NodeId } from '../core/ids.ts'
import type { Receipt, ReceiptClaims, TicketClaims } from '../core/model.ts'
import { openReceipt, readReceiptUnchecked } from '../format/tickets.ts'
import type { CatalogueReader } from './catalogue.ts'

/** A copy that a node vouched for. */
export interface DurableCopy {
  /** Row of the node. */
  readonly node: number
  readonly nodeId: NodeId
  readonly putSequence: number
  readonly lengthBytes: number
  /** Of the pack's bytes. */
  readonly digest: Uint8Array
  readonly durableAtMs: number
}

export interface ReceiptCheck {
  readonly receipts: readonly Receipt[]
  /** The nodes that a pipeline of the pack led to. */
  readonly allowed: ReadonlySet<NodeId>
}

/**
 * The copies that these receipts prove, one for each node. One of an earlier life of a store proves nothing and is
 * passed over.
 * @throws TwofoldError `permission-denied` for one that is forged or of another pack; `integrity` when the nodes do not
 * hold the same bytes.
 */
export async function checkReceipts(
  tx: CatalogueReader,
  ticket: TicketClaims,
  check: ReceiptCheck,
): Promise<DurableCopy[]> {
  const copies = new Map<NodeId, DurableCopy>()
  let first: ReceiptClaims | undefined
  for (const receipt of check.receipts) {
    const named = readReceiptUnchecked(receipt)
    const node = await tx.nodes.find(named.nodeId)
    if (node === undefined) throw forged(ticket, `it names node ${named.nodeId}, which does not exist`)
    if (node.ref.incarnation !== named.incarnation || node.admin === 'removed') continue
    const claims = openReceipt(receipt, node.publicKey)
    if (claims.packId !== ticket.packId || claims.sessionId !== ticket.sessionId) {
      throw forged(ticket, `it is for pack ${claims.packId}`)
    }
    if (!check.allowed.has(claims.nodeId)) throw forged(ticket, `node ${node.ref.name} was never asked to hold it`)
    if (claims.lengthBytes > ticket.lengthBytesMax) throw forged(ticket, 'the pack is longer than was allowed')
    first ??= claims
    requireSame(first, claims)
    const { nodeId, putSequence, lengthBytes, digest, durableAtMs } = claims
    copies.set(nodeId, { node: node.id, nodeId, putSequence, lengthBytes, digest, durableAtMs })
  }
  return [...copies.values()]
}

function requireSame(first: ReceiptClaims, other: ReceiptClaims): void {
  if (first.lengthBytes === other.lengthBytes && Buffer.compare(first.digest, other.digest) === 0) return
  throw new TwofoldError('integrity', `nodes ${first.nodeId} and ${other.nodeId} hold different bytes as one pack`)
}

function forged(ticket: TicketClaims, why: string): TwofoldError {
  return new TwofoldError('permission-denied', `a receipt for pack ${ticket.packId} is not valid: ${why}`)
}
