import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { parseKeepCount, parseSpan, toPolicy } from '../../../src/cli/retention-options.ts'

describe('options of a policy', () => {
  it('read spans as restic writes them', () => {
    expect(parseSpan('1y5m7d2h')).to.deep.equal({ years: 1, months: 5, days: 7, hours: 2 })
    expect(parseSpan('75d')).to.deep.equal({ years: 0, months: 0, days: 75, hours: 0 })
    for (const bad of ['', '5', '2h1y', '1w', '-1d', '1.5d']) {
      expect(() => parseSpan(bad), bad).to.throw(TwofoldError, 'is no span')
    }
  })

  it('read counts, of which one is no limit', () => {
    expect(['7', 'unlimited', '-1', '0'].map(parseKeepCount)).to.deep.equal([7, Infinity, Infinity, 0])
    for (const bad of ['', 'x', '-2', '1.5']) expect(() => parseKeepCount(bad), bad).to.throw(TwofoldError, 'no count')
  })

  it('make a policy of what was given, and of nothing else', () => {
    expect(toPolicy({})).to.deep.equal({ counts: {}, within: {}, tags: [] })
    const week = parseSpan('7d')
    expect(toPolicy({ keepDaily: 7, keepWithin: week, keepTag: [['a', 'b']] })).to.deep.equal({
      counts: { daily: 7 },
      within: { all: week },
      tags: [['a', 'b']],
    })
  })
})
