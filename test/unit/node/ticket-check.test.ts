import { expect } from 'chai'
import type { ClusterId, Incarnation } from '../../../src/core/ids.ts'
import { clockSkewMs } from '../../../src/core/limits.ts'
import type { NodeRef, Ticket } from '../../../src/core/model.ts'
import { createSigner } from '../../../src/format/signing.ts'
import { signTicket } from '../../../src/format/tickets.ts'
import { NodeLease } from '../../../src/node/node-lease.ts'
import { checkPipeline, checkTicket, requireNamed } from '../../../src/node/ticket-check.ts'
import { codeThrown } from '../../support/expect-error.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { claimsOf, hex, managerSigner, membership, nodeRef, ticketOf } from './node-fixture.ts'

describe('check of a ticket', () => {
  let clock: VirtualClock
  let lease: NodeLease
  beforeEach(() => {
    clock = new VirtualClock()
    lease = new NodeLease(clock)
    lease.renew(clock.monotonicMs(), { leaseMs: 1e9, managerTimeMs: 0, epoch: 1 })
  })

  const check = (ticket: Ticket, lengthBytes = 1000): string | undefined =>
    codeThrown(() => checkTicket(ticket, lengthBytes, { membership, lease }))

  it('gives the claims of a good one', () => {
    const claims = checkTicket(ticketOf(), 1_000_000, { membership, lease })
    expect(claims).to.deep.equal(claimsOf())
  })

  it('refuses one that somebody else signed, or that was changed', () => {
    expect(check(signTicket(claimsOf(), createSigner(new Uint8Array(32).fill(2))))).to.equal('permission-denied')
    const { claims, signature } = ticketOf()
    for (let at = 0; at < claims.length; at += 7) {
      const changed = Buffer.from(claims)
      changed[at]! ^= 1
      expect(check({ claims: changed, signature })).to.equal('permission-denied')
    }
    expect(check({ claims, signature: new Uint8Array(0) })).to.equal('permission-denied')
    expect(check({ claims: new Uint8Array(0), signature })).to.equal('permission-denied')
    expect(check({ claims, signature: signature.subarray(1) })).to.equal('permission-denied')
  })

  it('refuses one that its manager signed but that makes no sense', () => {
    const many = (count: number): NodeRef[] => Array.from({ length: count }, () => nodeRef(2))
    for (const changes of [
      { replicas: many(10_000) },
      { replicas: [nodeRef(1)] },
      { replicas: many(2) },
      { copies: 1, minCopies: 2 },
      { minCopies: 0 },
      { generation: 0 },
      { vaultId: new Uint8Array(15) },
      { lengthBytesMax: 2 ** 40 },
    ]) {
      expect(check(signTicket({ ...claimsOf(), ...changes }, managerSigner))).to.equal('permission-denied')
    }
    const nonsense = Buffer.from('nonsense')
    expect(check({ claims: nonsense, signature: managerSigner.sign(nonsense) })).to.equal('permission-denied')
  })

  it('refuses one of another cluster', () => {
    expect(check(ticketOf({ clusterId: hex<ClusterId>('d') }))).to.equal('permission-denied')
  })

  it("refuses one that has expired by the manager's time, with some patience for clocks", () => {
    clock.setWall(0)
    clock.advance(1_000_000 + clockSkewMs)
    expect(check(ticketOf())).to.equal(undefined)
    clock.advance(1)
    expect(check(ticketOf())).to.equal('permission-denied')
  })

  it('refuses a pack of a length that the ticket does not allow', () => {
    expect(check(ticketOf(), 1_000_000)).to.equal(undefined)
    for (const length of [0, -1, 1_000_001, 2 ** 64]) expect(check(ticketOf(), length)).to.equal('invalid-argument')
  })

  it('wants this node named, in its present life', () => {
    const named = (...nodes: NodeRef[]): string | undefined =>
      codeThrown(() => requireNamed(nodes, 'a replica', membership))
    expect(named(nodeRef(2), nodeRef(1))).to.equal(undefined)
    expect(named()).to.equal('permission-denied')
    expect(named(nodeRef(2))).to.equal('permission-denied')
    expect(named({ ...nodeRef(1), incarnation: hex<Incarnation>('f') })).to.equal('permission-denied')
  })
})

describe('check of a pipeline', () => {
  const claims = claimsOf({ copies: 3, replicas: [nodeRef(2), nodeRef(3)] })
  const problem = (...replicas: NodeRef[]): string | undefined => {
    try {
      checkPipeline(replicas, claims)
      return undefined
    } catch (error) {
      expect(error).to.include({ code: 'invalid-argument' })
      return (error as Error).message
    }
  }

  it("takes the ticket's replicas, in any order", () => {
    expect(problem(nodeRef(2), nodeRef(3))).to.equal(undefined)
    expect(problem(nodeRef(3), nodeRef(2))).to.equal(undefined)
  })

  it('refuses every other', () => {
    expect(problem()).to.match(/wants 2 copies/)
    expect(problem(nodeRef(2))).to.match(/the ones that the ticket names/)
    expect(problem(nodeRef(2), nodeRef(4))).to.match(/the ones that the ticket names/)
    expect(problem(nodeRef(2), nodeRef(3), nodeRef(4))).to.match(/the ones that the ticket names/)
    expect(problem(nodeRef(2), nodeRef(2))).to.match(/named twice/)
    expect(problem(nodeRef(1), nodeRef(2))).to.match(/must not be the primary/)
    expect(problem(...Array.from({ length: 10_000 }, () => nodeRef(2)))).to.match(/at most 7 replicas, not 10000/)
  })
})
