import { expect } from 'chai'
import { faultKinds, writeScript } from '../../chaos/fault-script.ts'
import type { Cast, Fault } from '../../chaos/fault-script.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

const nodes = ['n1', 'n2', 'n3']
const cast: Cast = {
  nodes,
  clients: ['c1', 'c2'],
  dataLinks: nodes.map((name) => `to-${name}`),
  controlLinks: ['clients-manager', ...nodes.map((name) => `${name}-manager`)],
  fillable: ['n3'],
}
const durationMs = 120_000

function script(seed: number): Fault[] {
  return writeScript({ random: new SeededRandom(seed), durationMs, cast })
}

describe('the script of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(script(7)).to.deep.equal(script(7))
    expect(script(7)).not.to.deep.equal(script(8))
  })

  it('has every kind of fault', () => {
    const kinds = new Set(script(7).map(({ kind }) => kind))
    expect([...kinds]).to.have.members([...new Set(faultKinds)])
  })

  it('is over in time, and hits nobody twice at once', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const faults = script(seed)
      expect(faults.length).to.be.greaterThan(20)
      for (const [at, one] of faults.entries()) {
        expect(one.atMs + one.forMs).to.be.at.most(durationMs)
        const during = faults.slice(at + 1).filter(({ atMs }) => atMs <= one.atMs + one.forMs)
        const processes = ['manager', ...nodes]
        const same = during.filter(
          ({ on }) =>
            on === one.on ||
            (on === 'all' && processes.includes(one.on)) ||
            (one.on === 'all' && processes.includes(on)),
        )
        expect(same, `seed ${seed}: ${JSON.stringify(one)}`).to.deep.equal([])
      }
    }
  })

  it('leaves out what a machine cannot do', () => {
    const faults = writeScript({ random: new SeededRandom(7), durationMs, cast: { ...cast, fillable: [] } })
    const kinds = new Set(faults.map(({ kind }) => kind))
    expect([kinds.has('fill'), kinds.has('shrink')]).to.deep.equal([false, true])
  })
})
