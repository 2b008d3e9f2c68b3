import { expect } from 'chai'
import fc from 'fast-check'
import { copiesCount, isSafeMode, nodeState } from '../../../src/manager/membership.ts'
import type { NodeAdminState } from '../../../src/manager/catalogue-rows.ts'

const timing = { suspectAfterMs: 5000, deadAfterMs: 600_000 }

const order = ['up', 'suspect', 'dead']

describe('the state of a node', () => {
  const at = (heardMs: number | undefined, nowMs: number, admin: NodeAdminState = 'active'): string =>
    nodeState({ admin, sinceMs: 0, heardMs }, nowMs, timing)

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
  const node = (heardMs: number | undefined, admin: NodeAdminState = 'active') => ({ admin, sinceMs: 0, heardMs })

  it('lasts until every node that was not removed has reported, or could have', () => {
    expect(isSafeMode([], 0, timing)).to.equal(false)
    expect(isSafeMode([node(5), node(undefined)], 10, timing)).to.equal(true)
    expect(isSafeMode([node(5), node(7)], 10, timing)).to.equal(false)
    expect(isSafeMode([node(5), node(undefined, 'removed')], 10, timing)).to.equal(false)
    expect(isSafeMode([node(undefined)], 600_000, timing)).to.equal(false)
  })
})
