import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import { parseClusterId, parseIncarnation, parseNodeId, parsePackId, parseSessionId } from '../core/ids.ts'
import { packBytesMax, replicasMax } from '../core/limits.ts'
import type { Receipt, ReceiptClaims, Signed, Ticket, TicketClaims } from '../core/model.ts'
import { toNodeRef } from '../core/node-ref.ts'
import { ReceiptClaims as ReceiptMessage, TicketClaims as TicketMessage } from '../gen/twofold/v1/common.ts'
import { vaultIdBytes } from './record-header.ts'
import { verifySignature } from './signing.ts'
import type { Signer } from './signing.ts'

export function signTicket(claims: TicketClaims, signer: Signer): Ticket {
  const bytes = TicketMessage.encode({
    ...claims,
    lengthBytesMax: BigInt(claims.lengthBytesMax),
    primary: { ...claims.primary },
    replicas: claims.replicas.map((replica) => ({ ...replica })),
    expiresAtMs: BigInt(claims.expiresAtMs),
    epoch: BigInt(claims.epoch),
  }).finish()
  return { claims: bytes, signature: signer.sign(bytes) }
}

/**
 * What a ticket permits, once its signature and its form are checked. Whether it has expired is the caller's to judge.
 * @throws TwofoldError `permission-denied` when it is not signed by the owner of `publicKey`, or makes no sense.
 */
export function openTicket(ticket: Ticket, publicKey: Uint8Array): TicketClaims {
  return openSigned(ticket, publicKey, 'ticket', readTicketUnchecked)
}

/** What a ticket says, whoever signed it. @throws TwofoldError `invalid-argument` when it makes no sense. */
export function readTicketUnchecked(ticket: Ticket): TicketClaims {
  const message = decode(TicketMessage, ticket, 'ticket')
  const { primary, replicas, generation, copies, minCopies } = message
  if (primary === undefined) throw malformed('ticket', 'it names no primary')
  if (replicas.length > replicasMax) throw malformed('ticket', `${replicas.length} replicas`)
  if (message.vaultId.length !== vaultIdBytes)
    throw malformed('ticket', `a vault id of ${message.vaultId.length} bytes`)
  if (generation < 1) throw malformed('ticket', 'generation 0')
  if (minCopies < 1 || copies < minCopies || copies > replicasMax + 1) {
    throw malformed('ticket', `${minCopies} of ${copies} copies`)
  }
  const claims: TicketClaims = {
    clusterId: parseClusterId(message.clusterId),
    vault: message.vault,
    vaultId: new Uint8Array(message.vaultId),
    sessionId: parseSessionId(message.sessionId),
    packId: parsePackId(message.packId),
    generation,
    lengthBytesMax: toNumber(message.lengthBytesMax, 'ticket', packBytesMax),
    copies,
    minCopies,
    primary: toNodeRef(primary),
    replicas: replicas.map(toNodeRef),
    expiresAtMs: toNumber(message.expiresAtMs, 'ticket'),
    epoch: toNumber(message.epoch, 'ticket'),
  }
  checkNodesDiffer(claims)
  return claims
}

export function signReceipt(claims: ReceiptClaims, signer: Signer): Receipt {
  const bytes = ReceiptMessage.encode({
    ...claims,
    putSequence: BigInt(claims.putSequence),
    lengthBytes: BigInt(claims.lengthBytes),
    durableAtMs: BigInt(claims.durableAtMs),
  }).finish()
  return { claims: bytes, signature: signer.sign(bytes) }
}

/**
 * What a receipt vouches for, once its signature and its form are checked.
 * @throws TwofoldError `permission-denied` when it is not signed by the owner of `publicKey`, or makes no sense.
 */
export function openReceipt(receipt: Receipt, publicKey: Uint8Array): ReceiptClaims {
  return openSigned(receipt, publicKey, 'receipt', readReceiptUnchecked)
}

/** What a receipt says, whoever signed it. @throws TwofoldError `invalid-argument` when it makes no sense. */
export function readReceiptUnchecked(receipt: Receipt): ReceiptClaims {
  const message = decode(ReceiptMessage, receipt, 'receipt')
  if (message.digest.length !== 32) throw malformed('receipt', `a digest of ${message.digest.length} bytes`)
  return {
    packId: parsePackId(message.packId),
    nodeId: parseNodeId(message.nodeId),
    incarnation: parseIncarnation(message.incarnation),
    putSequence: toNumber(message.putSequence, 'receipt'),
    lengthBytes: toNumber(message.lengthBytes, 'receipt', packBytesMax),
    digest: new Uint8Array(message.digest),
    sessionId: parseSessionId(message.sessionId),
    durableAtMs: toNumber(message.durableAtMs, 'receipt'),
  }
}

function openSigned<T>(signed: Signed, publicKey: Uint8Array, what: string, read: (signed: Signed) => T): T {
  if (!verifySignature(publicKey, signed.claims, signed.signature)) {
    throw new TwofoldError('permission-denied', `the ${what} is not signed by whom it should be`)
  }
  try {
    return read(signed)
  } catch (error) {
    if (!isTwofoldError(error, 'invalid-argument')) throw error
    throw new TwofoldError('permission-denied', error.message, { cause: error })
  }
}

function decode<T>(message: { decode(bytes: Uint8Array): T }, signed: Signed, what: string): T {
  try {
    return message.decode(signed.claims)
  } catch (error) {
    throw new TwofoldError('invalid-argument', `the ${what} is malformed`, { cause: error })
  }
}

function checkNodesDiffer({ primary, replicas }: TicketClaims): void {
  const ids = new Set([primary.nodeId, ...replicas.map((replica) => replica.nodeId)])
  if (ids.size !== replicas.length + 1) throw malformed('ticket', 'it names a node twice')
}

function toNumber(value: bigint, what: string, max = Number.MAX_SAFE_INTEGER): number {
  if (value < 0n || value > BigInt(max)) throw malformed(what, `the number ${value}`)
  return Number(value)
}

function malformed(what: string, detail: string): TwofoldError {
  return new TwofoldError('invalid-argument', `the ${what} is malformed: ${detail}`)
}
