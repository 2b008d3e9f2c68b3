import { expect } from 'chai'
import fc from 'fast-check'
import type { Incarnation, NodeId } from '../../../src/core/ids.ts'
import type { NodeState } from '../../../src/core/model.ts'
import { isCertain } from '../../../src/manager/node-standing.ts'
import type { NodeStanding } from '../../../src/manager/node-standing.ts'
import { domainOf } from '../../../src/manager/placement.ts'
import { chooseMove } from '../../../src/manager/rebalance-plan.ts'
import { chooseSource, chooseSurplus, domainsOf, judgePack, standingsOf } from '../../../src/manager/repair-plan.ts'
import { hex } from '../../support/catalogue-rows.ts'

const GiB = 1024 ** 3

function standing(node: number, more: Partial<NodeStanding> = {}): NodeStanding {
  const nodeId = hex(node) as NodeId
  const failureDomain = more.failureDomain ?? ''
  return {
    node,
    nodeId,
    ref: { nodeId, incarnation: hex(node) as Incarnation, name: `n${node}`, address: '', failureDomain },
    failureDomain,
    domain: domainOf({ nodeId, failureDomain }),
    state: 'up',
    writable: true,
    keeps: true,
    storeFailed: false,
    reported: true,
    freeBytes: 100 * GiB,
    reservedBytes: 0,
    leftBytes: 100 * GiB,
    capacityBytes: 100 * GiB,
    usedBytes: 0,
    ...more,
  }
}

const of = (...nodes: NodeStanding[]): Map<number, NodeStanding> => new Map(nodes.map((node) => [node.node, node]))
const draining = { state: 'draining', keeps: false } as const

describe('what a pack needs', () => {
  const five = of(...[1, 2, 3, 4, 5].map((node) => standing(node)))
  const but = (node: number, more: Partial<NodeStanding>): Map<number, NodeStanding> =>
    new Map(five).set(node, standing(node, more))

  it('is nothing while enough copies are on nodes that count', () => {
    expect(judgePack([1, 2], 2, five)).to.equal('fine')
    expect(judgePack([1, 2], 2, but(2, { state: 'suspect' }))).to.equal('fine')
    expect(judgePack([1, 2], 2, but(2, { state: 'joining' }))).to.equal('fine')
  })

  it('is most urgent when one good copy is left, or none but one that is leaving', () => {
    expect(judgePack([1], 2, five)).to.equal('last-copy')
    expect(judgePack([1, 2], 2, but(2, { state: 'dead' }))).to.equal('last-copy')
    expect(judgePack([1, 2], 2, but(2, draining))).to.equal('last-copy')
    expect(judgePack([2], 1, but(2, draining))).to.equal('last-copy')
    expect(judgePack([1, 2], 3, five)).to.equal('short')
  })

  it('cannot be had when every copy is on a dead node, or there is none', () => {
    expect(judgePack([], 2, five)).to.equal('lost')
    expect(judgePack([2], 2, but(2, { state: 'dead' }))).to.equal('lost')
  })

  it('is another failure domain, when its copies share one and another has room', () => {
    const inDomain = (node: number, failureDomain: string): NodeStanding => standing(node, { failureDomain })
    const racks = of(inDomain(1, 'a'), inDomain(2, 'a'), inDomain(3, 'b'))
    expect(judgePack([1, 2], 2, racks)).to.equal('same-domain')
    expect(judgePack([1, 3], 2, racks)).to.equal('fine')
    const full = new Map(racks).set(3, standing(3, { failureDomain: 'b', freeBytes: 0 }))
    expect(judgePack([1, 2], 2, full)).to.equal('fine')
  })

  it('is fewer copies when there are too many, or one is on a node to be emptied', () => {
    expect(judgePack([1, 2, 3], 2, five)).to.equal('surplus')
    expect(judgePack([1, 2, 3], 2, but(3, draining))).to.equal('surplus')
    expect(judgePack([1, 2, 3], 2, but(3, { ...draining, storeFailed: true })), 'it cannot delete').to.equal('fine')
    expect(judgePack([1, 2, 3], 2, but(3, { state: 'dead' }))).to.equal('fine')
  })
})

describe('the source of a copy', () => {
  const choice = { holders: [1, 2, 3], avoid: new Set<number>(), sending: () => 0, atOnce: 2 }

  it('is up, has a good disk where there is one, and is the least busy', () => {
    const nodes = of(standing(1, { state: 'suspect' }), standing(2, { ...draining, storeFailed: true }), standing(3))
    const chosen = chooseSource(choice, nodes)
    expect(chosen).to.have.property('node', 3)
    const busy = chooseSource({ ...choice, holders: [2, 3], sending: (node) => (node === 3 ? 2 : 0) }, nodes)
    expect(busy).to.have.property('node', 2)
    expect(chooseSource({ ...choice, sending: () => 2 }, nodes)).to.equal('busy')
    expect(chooseSource({ ...choice, holders: [1] }, nodes)).to.equal(undefined)
  })

  it('is another one than failed, if there is another', () => {
    const nodes = of(standing(1), standing(2))
    expect(chooseSource({ ...choice, avoid: new Set([1]) }, nodes)).to.have.property('node', 2)
    expect(chooseSource({ ...choice, holders: [1], avoid: new Set([1]) }, nodes)).to.have.property('node', 1)
  })
})

describe('the copy that may go', () => {
  it('is one on a node to be emptied, then one that shares a domain, then one on the fullest node', () => {
    const three = [standing(1), standing(2, { usedBytes: GiB }), standing(3)]
    expect(chooseSurplus([1, 2, 3], 2, of(...three))).to.equal(2)
    const leaving = of(standing(1), standing(2, { usedBytes: GiB }), standing(3, draining))
    expect(chooseSurplus([1, 2, 3], 2, leaving)).to.equal(3)
    const racks = of(
      standing(1, { failureDomain: 'a' }),
      standing(2, { failureDomain: 'b', usedBytes: GiB }),
      standing(3, { failureDomain: 'a' }),
    )
    expect(chooseSurplus([1, 2, 3], 2, racks)).to.equal(1)
  })

  it('is none while any other is in doubt', () => {
    for (const doubt of [{ reported: false }, { state: 'suspect' }, { state: 'joining' }] as const) {
      const nodes = of(standing(1), standing(2), standing(3, doubt))
      expect(chooseSurplus([1, 2, 3], 2, nodes), JSON.stringify(doubt)).to.equal(undefined)
    }
  })

  it('always leaves as many certain copies as wanted, whatever the nodes are like', () => {
    const states: NodeState[] = ['joining', 'up', 'suspect', 'dead', 'draining', 'drained', 'removed']
    const node = fc.record({
      state: fc.constantFrom(...states),
      keeps: fc.boolean(),
      storeFailed: fc.boolean(),
      reported: fc.boolean(),
      failureDomain: fc.constantFrom('', 'a', 'b'),
      usedBytes: fc.nat(100),
    })
    const property = fc.property(fc.array(node, { maxLength: 6 }), fc.integer({ min: 1, max: 3 }), (list, wanted) => {
      const standings = of(...list.map((more, index) => standing(index + 1, more)))
      const holders = [...standings.keys()]
      const victim = chooseSurplus(holders, wanted, standings)
      if (victim === undefined) return
      const left = standingsOf(
        holders.filter((holder) => holder !== victim),
        standings,
      )
      expect(left.filter(isCertain).length).to.be.at.least(wanted)
    })
    fc.assert(property, { numRuns: 2000 })
  })
})

describe('a move to spread the load', () => {
  it('goes from the fullest to the emptiest, until all are near the mean share', () => {
    const share = (node: number, part: number): NodeStanding => standing(node, { usedBytes: part * 100 * GiB })
    const move = chooseMove(of(share(1, 0.5), share(2, 0.1), share(3, 0.6)), 0.05)
    expect([move?.from.node, move?.to.node]).to.deep.equal([3, 2])
    expect(chooseMove(of(share(1, 0.5), share(2, 0.52)), 0.05)).to.equal(undefined)
    expect(chooseMove(of(share(1, 0.5)), 0.05)).to.equal(undefined)
  })

  it('counts domains by what fails together', () => {
    expect(domainsOf([standing(1), standing(2)])).to.equal(2)
    expect(domainsOf([standing(1, { failureDomain: 'a' }), standing(2, { failureDomain: 'a' })])).to.equal(1)
  })
})
