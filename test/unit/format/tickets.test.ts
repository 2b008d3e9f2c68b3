import { expect } from 'chai'
import fc from 'fast-check'
import type { ClusterId, Incarnation, NodeId, PackId, SessionId } from '../../../src/core/ids.ts'
import { packBytesMax } from '../../../src/core/limits.ts'
import type { NodeRef, ReceiptClaims, Signed, TicketClaims } from '../../../src/core/model.ts'
import { createSigner, verifySignature } from '../../../src/format/signing.ts'
import {
  openReceipt,
  openTicket,
  readReceiptUnchecked,
  readTicketUnchecked,
  signReceipt,
  signTicket,
} from '../../../src/format/tickets.ts'
import { expectThrow } from '../../support/expect-error.ts'
import { noise } from './noise.ts'
import { someId, vaultId } from './sample-pack.ts'
import { normalized } from './sample-tree.ts'

const id = <T>(digit: string) => digit.repeat(32) as T
const signer = createSigner(noise(32, 1))
const stranger = createSigner(noise(32, 2))

function node(digit: string): NodeRef {
  return {
    nodeId: id<NodeId>(digit),
    incarnation: id<Incarnation>('f'),
    name: `n${digit}`,
    address: '127.0.0.1:1',
    failureDomain: '',
  }
}

function ticketClaims(changes: Partial<TicketClaims> = {}): TicketClaims {
  return {
    clusterId: id<ClusterId>('0'),
    vault: 'default',
    vaultId,
    sessionId: id<SessionId>('5'),
    packId: id<PackId>('9'),
    generation: 1,
    lengthBytesMax: packBytesMax,
    copies: 2,
    minCopies: 2,
    primary: node('1'),
    replicas: [node('2')],
    expiresAtMs: 1_800_000_000_000,
    epoch: 4,
    ...changes,
  }
}

function receiptClaims(changes: Partial<ReceiptClaims> = {}): ReceiptClaims {
  return {
    packId: id<PackId>('9'),
    nodeId: id<NodeId>('1'),
    incarnation: id<Incarnation>('f'),
    putSequence: 77,
    lengthBytes: 1000,
    digest: someId(4),
    sessionId: id<SessionId>('5'),
    durableAtMs: 1_700_000_000_000,
    ...changes,
  }
}

/** One bit changed in each byte of what is signed and of the signature. */
function* forgeries(signed: Signed): Generator<Signed> {
  for (const part of ['claims', 'signature'] as const) {
    for (let offset = 0; offset < signed[part].length; offset++) {
      const bytes = Buffer.from(signed[part])
      bytes[offset]! ^= 1 << (offset & 7)
      yield { ...signed, [part]: bytes }
    }
  }
}

describe('ticket', () => {
  it('is read as it was signed', () => {
    for (const claims of [ticketClaims(), ticketClaims({ replicas: [], copies: 1, minCopies: 1 })]) {
      expect(normalized(openTicket(signTicket(claims, signer), signer.publicKey))).to.deep.equal(normalized(claims))
      expect(normalized(readTicketUnchecked(signTicket(claims, stranger)))).to.deep.equal(normalized(claims))
    }
  })

  it('is refused when anything of it was changed, or somebody else signed it', () => {
    const ticket = signTicket(ticketClaims(), signer)
    for (const forged of forgeries(ticket)) expectThrow(() => openTicket(forged, signer.publicKey), 'permission-denied')
    expectThrow(() => openTicket(ticket, stranger.publicKey), 'permission-denied')
    expectThrow(() => openTicket({ ...ticket, signature: new Uint8Array(0) }, signer.publicKey), 'permission-denied')
    expectThrow(() => openTicket({ ...ticket, signature: ticket.claims }, signer.publicKey), 'permission-denied')
    expectThrow(() => openTicket(ticket, new Uint8Array(0)), 'permission-denied')
  })

  it('is refused when it makes no sense, though it is signed', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => node((index + 2).toString(16)))
    const nonsense: Partial<TicketClaims>[] = [
      { replicas: many(8), copies: 8 },
      { replicas: Array.from({ length: 10_000 }, () => node('2')) },
      { replicas: [node('1')] },
      { replicas: [node('2'), node('2')] },
      { generation: 0 },
      { copies: 0, minCopies: 0 },
      { copies: 1, minCopies: 2 },
      { copies: 9 },
      { vaultId: new Uint8Array(15) },
      { lengthBytesMax: packBytesMax + 1 },
      { expiresAtMs: -1 },
      { packId: '../../../../etc/passwd' as PackId },
      { clusterId: '' as ClusterId },
      { primary: { ...node('1'), nodeId: 'n1' as NodeId } },
    ]
    for (const changes of nonsense) {
      const ticket = signTicket(ticketClaims(changes), signer)
      expectThrow(() => openTicket(ticket, signer.publicKey), 'permission-denied')
      expectThrow(() => readTicketUnchecked(ticket), 'invalid-argument')
    }
    expect(openTicket(signTicket(ticketClaims({ replicas: many(7), copies: 8 }), signer), signer.publicKey)).to.be.an(
      'object',
    )
  })

  it('fails in words on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (claims) => {
        const signed = { claims, signature: signer.sign(claims) }
        expectThrow(() => readTicketUnchecked(signed), 'invalid-argument')
        expectThrow(() => openTicket(signed, signer.publicKey), 'permission-denied')
        expectThrow(() => readReceiptUnchecked(signed), 'invalid-argument')
      }),
    )
  })
})

describe('receipt', () => {
  it('is read as it was signed', () => {
    const claims = receiptClaims()
    expect(normalized(openReceipt(signReceipt(claims, signer), signer.publicKey))).to.deep.equal(normalized(claims))
    expect(normalized(readReceiptUnchecked(signReceipt(claims, stranger)))).to.deep.equal(normalized(claims))
  })

  it('is refused when anything of it was changed, somebody else signed it, or it makes no sense', () => {
    const receipt = signReceipt(receiptClaims(), signer)
    for (const forged of forgeries(receipt))
      expectThrow(() => openReceipt(forged, signer.publicKey), 'permission-denied')
    expectThrow(() => openReceipt(receipt, stranger.publicKey), 'permission-denied')
    const nonsense: Partial<ReceiptClaims>[] = [
      { digest: new Uint8Array(31) },
      { lengthBytes: packBytesMax + 1 },
      { nodeId: '' as NodeId },
      { packId: 'x' as PackId },
    ]
    for (const changes of nonsense) {
      const signed = signReceipt(receiptClaims(changes), signer)
      expectThrow(() => openReceipt(signed, signer.publicKey), 'permission-denied')
    }
  })

  it('of a node is no ticket of a manager, even with the same key', () => {
    const receipt = signReceipt(receiptClaims(), signer)
    expectThrow(() => openTicket(receipt, signer.publicKey), 'permission-denied')
    expectThrow(() => openReceipt(signTicket(ticketClaims(), signer), signer.publicKey), 'permission-denied')
  })
})

describe('signing', () => {
  it('is Ed25519 as RFC 8032 has it', () => {
    const hex = (text: string) => Buffer.from(text, 'hex')
    const known = createSigner(hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'))
    expect(Buffer.from(known.publicKey).toString('hex')).to.equal(
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    )
    expect(Buffer.from(known.sign(hex('72'))).toString('hex')).to.equal(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
  })

  it('is false, not an error, for keys and signatures that are none', () => {
    const data = noise(10)
    expect(verifySignature(new Uint8Array(32), data, new Uint8Array(64))).to.equal(false)
    expect(verifySignature(new Uint8Array(32).fill(0xff), data, signer.sign(data))).to.equal(false)
    expect(verifySignature(new Uint8Array(31), data, signer.sign(data))).to.equal(false)
    expect(verifySignature(signer.publicKey, data, new Uint8Array(63))).to.equal(false)
    expect(verifySignature(signer.publicKey, data, signer.sign(data))).to.equal(true)
  })
})
