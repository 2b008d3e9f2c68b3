import { expect } from 'chai'
import { median, medianOf, totalCpuSeconds } from '../../../bench/measure/measurement.ts'
import type { Measurement } from '../../../bench/measure/measurement.ts'

const measurement = (seconds: number, cpuSeconds: number, peakRssBytes: number | undefined): Measurement => ({
  seconds,
  storedBytes: seconds * 10,
  processes: { client: { cpuSeconds, peakRssBytes }, n1: { cpuSeconds: 1, peakRssBytes: 5 } },
})

describe('median', () => {
  it('is the middle one, whatever the order', () => {
    expect(median([3, 1, 20])).to.equal(3)
    expect(median([7])).to.equal(7)
  })

  it('of an even number is the mean of the two in the middle', () => {
    expect(median([1, 100, 2, 4])).to.equal(3)
  })

  it('of nothing, or of what is not all known, is not known', () => {
    expect(median([])).to.equal(undefined)
    expect(median([1, undefined, 2])).to.equal(undefined)
  })
})

describe('median of measurements', () => {
  it('is taken of each figure by itself', () => {
    const result = medianOf([measurement(1, 30, 300), measurement(2, 10, 200), measurement(3, 20, 100)])
    expect(result).to.deep.equal({
      seconds: 2,
      storedBytes: 20,
      processes: { client: { cpuSeconds: 20, peakRssBytes: 200 }, n1: { cpuSeconds: 1, peakRssBytes: 5 } },
    })
    expect(totalCpuSeconds(result)).to.equal(21)
  })

  it('leaves out a peak that one run does not have', () => {
    const { client } = medianOf([measurement(1, 30, undefined), measurement(2, 10, 200)]).processes
    expect(client).to.deep.equal({ cpuSeconds: 20, peakRssBytes: undefined })
  })

  it('has a delay of the event loop where all runs have one', () => {
    const run = (loopDelay?: { p99: number; most: number }): Measurement => {
      const n1 = { cpuSeconds: 1, peakRssBytes: 5, ...(loopDelay === undefined ? {} : { loopDelay }) }
      return { seconds: 1, storedBytes: 0, processes: { n1 } }
    }
    const delays = [
      { p99: 1, most: 30 },
      { p99: 3, most: 10 },
      { p99: 2, most: 20 },
    ]
    expect(medianOf(delays.map(run)).processes['n1']?.loopDelay).to.deep.equal({ p99: 2, most: 20 })
    expect(medianOf([run(delays[0]), run()]).processes['n1']).not.to.have.property('loopDelay')
  })
})
