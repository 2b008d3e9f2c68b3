import { expect } from 'chai'
import { addCounts, countedIn, describeCounts, isCount } from '../../support/test-counts.ts'

describe('the count of two runs of tests', () => {
  const well = { lines: ['  ✔ a test', '3 skipped: their names say why', '12 passed, 0 failed'], code: 0 }

  it('is the sum of both', () => {
    const other = { lines: ['failed: one: no', 'failed: two: no', '5 passed, 2 failed'], code: 2 }
    const total = addCounts(countedIn(well), countedIn(other))
    const [one, two, ...counts] = describeCounts(total)
    expect([one, two]).to.deep.equal(['failed: one: no', 'failed: two: no'])
    expect(counts).to.deep.equal(['3 skipped: their names say why', '17 passed, 2 failed'])
  })

  it('has a failure of a run that ended before it could count, or failed although its tests passed', () => {
    const failures = ['the run itself ended with status 1']
    expect(countedIn({ lines: ['SyntaxError'], code: 1 })).to.deep.equal({ passed: 0, failed: 1, skipped: 0, failures })
    expect(countedIn({ ...well, code: 7 })).to.include({ passed: 12, failed: 1 })
    expect(countedIn({ lines: ['5 passed, 2 failed'], code: 2 }).failed).to.equal(2)
  })

  it('is read from the lines that a run ends with, and from no test that talks of counting', () => {
    expect(describeCounts(countedIn({ ...well, code: 1 })).every(isCount)).to.equal(true)
    expect(['  12 passed, 0 failed', '1 passed, 0 failed, or so', ''].some(isCount)).to.equal(false)
  })
})
