import { expect } from 'chai'
import fc from 'fast-check'
import { TwofoldError } from '../../../src/core/errors.ts'
import type { NodeId } from '../../../src/core/ids.ts'
import { diskReserveBytes } from '../../../src/core/limits.ts'
import type { NodeState } from '../../../src/core/model.ts'
import { bytesLeft, placePack } from '../../../src/manager/placement.ts'
import type { Candidate, PlacementRequest } from '../../../src/manager/placement.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

const MiB = 1024 * 1024
const nodeId = (n: number): NodeId => `node-${n}` as NodeId

function candidate(n: number, more: Partial<Candidate> = {}): Candidate {
  return {
    nodeId: nodeId(n),
    failureDomain: '',
    state: 'up',
    writable: true,
    freeBytes: 1000 * MiB,
    reservedBytes: 0,
    ...more,
  }
}

const two: PlacementRequest = {
  lengthBytes: 16 * MiB,
  wanted: 2,
  least: 2,
  keep: [],
  avoid: new Set(),
  forbid: new Set(),
}

function place(nodes: readonly Candidate[], more: Partial<PlacementRequest> = {}, seed = 1): NodeId[] | string {
  try {
    return placePack(nodes, { ...two, ...more }, new SeededRandom(seed))
  } catch (error) {
    if (error instanceof TwofoldError) return error.code
    throw error
  }
}

const states: NodeState[] = ['joining', 'up', 'suspect', 'dead', 'draining', 'drained', 'removed']
const someNodes = fc.uniqueArray(
  fc.record({
    n: fc.nat(20),
    state: fc.oneof({ weight: 5, arbitrary: fc.constant<NodeState>('up') }, fc.constantFrom(...states)),
    writable: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.boolean()),
    freeBytes: fc.nat(300 * MiB),
    reservedBytes: fc.nat(100 * MiB),
    failureDomain: fc.constantFrom('', 'a', 'b', 'c'),
  }),
  { selector: (node) => node.n, maxLength: 8 },
)

const domainOf = (node: Candidate): string => (node.failureDomain === '' ? node.nodeId : node.failureDomain)

describe('placement', () => {
  it('keeps its promises on any cluster', () => {
    const request = fc.record({
      wanted: fc.integer({ min: 2, max: 4 }),
      least: fc.integer({ min: 1, max: 2 }),
      first: fc.option(fc.nat(20).map(nodeId), { nil: undefined }),
      avoid: fc.array(fc.nat(20), { maxLength: 4 }).map((ids) => new Set(ids.map(nodeId))),
      forbid: fc.array(fc.nat(20), { maxLength: 2 }).map((ids) => new Set(ids.map(nodeId))),
    })
    fc.assert(
      fc.property(someNodes, request, fc.nat(), (some, more, seed) => {
        const nodes = some.map(({ n, ...rest }) => candidate(n, rest))
        const able = nodes.filter((node) => node.state === 'up' && node.writable && !more.forbid.has(node.nodeId))
        const roomy = able.filter((node) => bytesLeft(node) >= two.lengthBytes + diskReserveBytes)
        const chosen = place(nodes, more, seed)
        if (typeof chosen === 'string') {
          expect(chosen).to.equal(able.length < more.least ? 'not-enough-nodes' : 'no-room')
          expect(roomy.length).to.be.lessThan(more.least)
          return
        }
        expect(new Set(chosen).size).to.equal(chosen.length)
        expect(chosen.length).to.be.within(more.least, more.wanted)
        for (const id of chosen) expect(roomy.map((node) => node.nodeId)).to.include(id)
        const wish = roomy.find((node) => node.nodeId === more.first && !more.avoid.has(node.nodeId))
        if (wish !== undefined) expect(chosen[0]).to.equal(wish.nodeId)
        const others = roomy.filter((node) => !more.avoid.has(node.nodeId))
        const pool = others.length >= more.least ? others : roomy
        expect(chosen.length).to.equal(Math.min(more.wanted, pool.length))
        if (pool === others) {
          expect(chosen.some((id) => more.avoid.has(id))).to.equal(false)
          const domains = new Set(nodes.filter((node) => chosen.includes(node.nodeId)).map(domainOf))
          expect(domains.size).to.equal(Math.min(chosen.length, new Set(pool.map(domainOf)).size))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is the same for the same seed', () => {
    const nodes = [1, 2, 3, 4].map((n) => candidate(n))
    for (let seed = 0; seed < 20; seed++) expect(place(nodes, {}, seed)).to.deep.equal(place(nodes, {}, seed))
  })

  it('shares among equals, and gives the emptier more', () => {
    const nodes = [candidate(1), candidate(2), candidate(3, { freeBytes: 4000 * MiB })]
    const primaries = new Map<NodeId, number>()
    const random = new SeededRandom(3)
    for (let turn = 0; turn < 600; turn++) {
      const [primary] = placePack(nodes, two, random) as [NodeId]
      primaries.set(primary, (primaries.get(primary) ?? 0) + 1)
    }
    expect(primaries.get(nodeId(1))).to.be.within(60, 140)
    expect(primaries.get(nodeId(2))).to.be.within(60, 140)
    expect(primaries.get(nodeId(3))).to.be.within(350, 450)
  })

  it('leaves the reserve of a disk alone', () => {
    const exact = two.lengthBytes + diskReserveBytes
    const nodes = [candidate(1, { freeBytes: exact }), candidate(2, { freeBytes: exact })]
    expect(place(nodes)).to.have.members([nodeId(1), nodeId(2)])
    expect(place([candidate(1, { freeBytes: exact - 1 }), candidate(2)])).to.equal('no-room')
    expect(place([candidate(1, { freeBytes: exact, reservedBytes: 1 }), candidate(2)])).to.equal('no-room')
  })

  it('keeps a new replica away from the domains of those that stay', () => {
    const nodes = [
      candidate(1, { failureDomain: 'a' }),
      candidate(2, { failureDomain: 'a' }),
      candidate(3, { failureDomain: 'b' }),
    ]
    for (let seed = 0; seed < 20; seed++) {
      expect(place(nodes, { keep: [nodeId(1)], wanted: 1, least: 1 }, seed)).to.deep.equal([nodeId(3)])
    }
    const forbid = new Set([nodeId(3)])
    expect(place(nodes, { keep: [nodeId(1)], wanted: 1, least: 1, forbid })).to.deep.equal([nodeId(2)])
  })

  it('gives packs in flight to different nodes', () => {
    const reserved = new Map([1, 2, 3].map((n) => [nodeId(n), 0]))
    for (let pack = 0; pack < 30; pack++) {
      const nodes = [1, 2, 3].map((n) => candidate(n, { reservedBytes: reserved.get(nodeId(n)) ?? 0, freeBytes: 1e12 }))
      for (const id of place(nodes, {}, pack)) {
        reserved.set(id as NodeId, (reserved.get(id as NodeId) ?? 0) + two.lengthBytes)
      }
    }
    for (const bytes of reserved.values()) expect(bytes / two.lengthBytes).to.be.within(17, 23)
  })
})
