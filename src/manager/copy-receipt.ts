import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { SessionId } from '../core/ids.ts'
import type { Receipt } from '../core/model.ts'
import type { ReceiptClaims } from '../core/model.ts'
import { openReceipt, readReceiptUnchecked } from '../format/tickets.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { PackRow } from './catalogue-rows.ts'

/** In the tickets of copies that the manager orders itself: no client's session has it. */
export const repairSession = '0'.repeat(32) as SessionId

export interface TakenReceipt {
  readonly pack: PackRow
  /** Row of the node that has the copy. */
  readonly node: number
}

/**
 * Enters the copy that a receipt of a repair vouches for. One that something newer speaks against is passed over: the
 * node's store is another one, its list of packs knows better, the copy is damaged or was ordered away.
 * @returns undefined when it was passed over
 * @throws TwofoldError `permission-denied` for one that is forged; `integrity` when it is for other bytes.
 */
export async function takeReceipt(tx: CatalogueWriter, receipt: Receipt): Promise<TakenReceipt | undefined> {
  const named = readReceiptUnchecked(receipt)
  const node = await tx.nodes.find(named.nodeId)
  if (node === undefined) throw forged(named, `it names node ${named.nodeId}, which does not exist`)
  if (node.ref.incarnation !== named.incarnation || node.admin === 'removed') return undefined
  const claims = openReceipt(receipt, node.publicKey)
  if (claims.sessionId !== repairSession) throw forged(claims, 'it is not for a copy that the manager ordered')
  const pack = await tx.packs.find(claims.packId)
  if (pack === undefined || (pack.state !== 'committed' && pack.state !== 'condemned')) return undefined
  requireSameBytes(claims, pack, await tx.packs.digest(pack.id))
  const [held = []] = await tx.copies.of([pack.id])
  const known = held.find((copy) => copy.node === node.id)
  if (known !== undefined && known.putSequence >= claims.putSequence) return { pack, node: node.id }
  if (await isOutdated(tx, claims, node.id)) return undefined
  const { putSequence, durableAtMs } = claims
  await tx.copies.put(pack.id, { node: node.id, putSequence, provenAtMs: durableAtMs })
  await tx.nodes.raisePutSequence(node.id, putSequence)
  return { pack, node: node.id }
}

function requireSameBytes(claims: ReceiptClaims, pack: PackRow, digest: Uint8Array | undefined): void {
  const sameLength = claims.lengthBytes === pack.lengthBytes
  if (sameLength && (digest === undefined || asBuffer(digest).equals(claims.digest))) return
  throw new TwofoldError('integrity', `node ${claims.nodeId} has other bytes as pack ${claims.packId}`)
}

/** Whether this put went after it was made, as far as is known. */
async function isOutdated(tx: CatalogueWriter, claims: ReceiptClaims, node: number): Promise<boolean> {
  const { packId, putSequence } = claims
  // A list as of a later put would have had it, and then it would be entered.
  if (putSequence <= (await tx.nodes.inventory(node)).asOfPutSequence) return true
  if (putSequence <= ((await tx.damaged.newest(node, packId)) ?? 0)) return true
  const drops = (await tx.orders.ofPack(packId)).filter((order) => order.node === node)
  return drops.some(({ action }) => action.putSequenceMax === 0 || action.putSequenceMax >= putSequence)
}

function forged(claims: ReceiptClaims, why: string): TwofoldError {
  return new TwofoldError('permission-denied', `a receipt for pack ${claims.packId} is not valid: ${why}`)
}
