import { expect } from 'chai'
import { mayLose, mayLoseCatalogue } from './fault-atlas.ts'
import type { PackHolding } from './fault-atlas.ts'

function pack(good: readonly string[], rest: Partial<PackHolding> = {}): PackHolding {
  return { packId: 'p', good: new Set(good), surplus: 0, struck: new Set(), committed: true, ...rest }
}

describe('fault atlas', () => {
  it('never takes the last good copy of what somebody may rely on', () => {
    expect(mayLose(pack(['n1', 'n2']), 'n1')).to.equal(true)
    expect(mayLose(pack(['n1']), 'n1')).to.equal(false)
    expect(mayLose(pack(['n2']), 'n1'), 'a copy that is bad already').to.equal(true)
    expect(mayLose(pack([]), 'n1')).to.equal(false)
    expect(mayLose(pack(['n1', 'n2'], { surplus: 1 }), 'n1'), 'when n2 may be given up').to.equal(false)
    expect(mayLose(pack(['n1', 'n2', 'n3'], { surplus: 1 }), 'n1')).to.equal(true)
  })

  it('takes a copy of what was never committed, but not one after the other', () => {
    expect(mayLose(pack(['n1'], { committed: false }), 'n1')).to.equal(true)
    expect(mayLose(pack(['n1'], { committed: false, struck: new Set(['n2']) }), 'n1')).to.equal(false)
  })

  it('lets an older catalogue come back when two nodes know what was promised before a disk was lost', () => {
    expect(mayLoseCatalogue({ known: [7, 9, 0], needed: 7 })).to.equal(true)
    expect(mayLoseCatalogue({ known: [6, 9, 0], needed: 7 })).to.equal(false)
  })
})
