import { expect } from 'chai'
import fc from 'fast-check'
import { copiesCount, isSafeMode, mayDelete, nodeState } from '../../../src/manager/membership.ts'
import type { NodeAdminState } from '../../../src/manager/catalogue-rows.ts'

const timing = { suspectAfterMs: 5000, deadAfterMs: 600_000 }

const order = ['up', 'suspect', 'dead']

describe('the state of a node', () => {
  const at = (heardMs: number | undefined, nowMs: number, admin: NodeAdminState = 'active'): string =>
    nodeState({ admin, sinceMs: 0, heardMs, storeFailed: false }, nowMs, timing)

  it('follows from its silence', () => {
    expect(at(undefined, 0)).to.equal('joining')
    expect(at(undefined, 599_999)).to.equal('joining')
    expect(at(undefined, 600_000)).to.equal('dead')
    expect(at(100, 100)).to.equal('up')
    expect(at(100, 5099)).to.equal('up')
    expect(at(100, 5100)).to.equal('suspect')
    expect(at(100, 600_099)).to.equal('suspect')
    expect(at(100, 600_100)).to.equal('dead')
  })

  it('shows what people decided while the node is there', () => {
    expect(at(100, 200, 'draining')).to.equal('draining')
    expect(at(100, 200, 'drained')).to.equal('drained')
    expect(at(100, 9000, 'draining')).to.equal('suspect')
    expect(at(100, 700_000, 'draining')).to.equal('dead')
    expect(at(100, 200, 'removed')).to.equal('removed')
  })

  it('is draining while its store has failed, whatever people decided', () => {
    const failed = (admin: NodeAdminState): string =>
      nodeState({ admin, sinceMs: 0, heardMs: 100, storeFailed: true }, 200, timing)
    expect(failed('active')).to.equal('draining')
    expect(failed('drained')).to.equal('drained')
  })

  it('only gets worse while nothing is heard', () => {
    const times = fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 10 })
    fc.assert(
      fc.property(times, (moments) => {
        const states = moments.toSorted((a, b) => a - b).map((nowMs) => order.indexOf(at(0, nowMs)))
        expect(states).to.deep.equal(states.toSorted((a, b) => a - b))
        expect(states).not.to.include(-1)
      }),
    )
  })

  it('says whether its copies count', () => {
    const counted = ['joining', 'up', 'suspect', 'dead', 'draining', 'drained', 'removed'] as const
    expect(counted.filter(copiesCount)).to.deep.equal(['joining', 'up', 'suspect', 'draining', 'drained'])
  })
})

describe('safe mode', () => {
  const node = (reported: boolean, admin: NodeAdminState = 'active') => ({ admin, reported })

  it('lasts until every node that was not removed has told what it holds, or could have', () => {
    expect(isSafeMode([], 0, timing)).to.equal(false)
    expect(isSafeMode([node(true), node(false)], 10, timing)).to.equal(true)
    expect(isSafeMode([node(true), node(true)], 10, timing)).to.equal(false)
    expect(isSafeMode([node(true), node(false, 'removed')], 10, timing)).to.equal(false)
    expect(isSafeMode([node(false)], 599_999, timing)).to.equal(true)
    expect(isSafeMode([node(false)], 600_000, timing)).to.equal(false)
  })

  it('lets nothing be deleted while a node that is not given up has not told what it holds', () => {
    expect(mayDelete([])).to.equal(true)
    for (const state of ['joining', 'up', 'suspect', 'draining', 'drained'] as const) {
      expect(
        mayDelete([
          { state: 'up', reported: true },
          { state, reported: false },
        ]),
        state,
      ).to.equal(false)
    }
    for (const state of ['dead', 'removed'] as const) {
      expect(
        mayDelete([
          { state: 'up', reported: true },
          { state, reported: false },
        ]),
        state,
      ).to.equal(true)
    }
  })
})
