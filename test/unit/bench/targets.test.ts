import { expect } from 'chai'
import type { Measurement, Usage } from '../../../bench/measure/measurement.ts'
import { targetRows } from '../../../bench/targets.ts'
import type { Measured, TargetRow } from '../../../bench/targets.ts'

const usage = (cpuSeconds: number, peak: number, p99?: number): Usage => {
  const spent = { cpuSeconds, peakRssBytes: peak * 1e6 }
  return p99 === undefined ? spent : { ...spent, loopDelay: { p99, most: p99 * 2 } }
}

function measured(program: string, step: string, measurement: Partial<Measurement>): Measured {
  const processes = { client: usage(1, 100) }
  return { program, step, median: { seconds: 1, storedBytes: undefined, processes, ...measurement } }
}

const twofold = measured('twofold', 'first backup', {
  seconds: 3,
  processes: { client: usage(1, 210), manager: usage(0.5, 90, 8), n1: usage(1, 140, 20), n2: usage(1.5, 150, 51) },
})
const figures = (rows: readonly TargetRow[]): Record<string, [number, string, boolean]> =>
  Object.fromEntries(rows.map(({ target, figure, bound, reached }) => [target, [figure, bound, reached]]))

describe('the targets of the benchmark', () => {
  it('are only those whose figures were measured', () => {
    expect(figures(targetRows('large', [twofold]))).to.deep.equal({
      'first backup, peak MB of the client': [210, '≤ 200', false],
      'first backup, peak MB of a node': [150, '≤ 150', true],
      'first backup, peak MB of the manager': [90, '≤ 150', true],
      'any step, p99 of the servers’ event-loop delay, ms': [51, '≤ 50', false],
    })
    expect(targetRows('large', [])).to.deep.equal([])
  })

  it('compare a step with that of the other programs, each workload with its own bound', () => {
    const restic = measured('restic', 'first backup', {
      seconds: 9,
      processes: { client: usage(8, 1), server: usage(2, 1) },
    })
    const rsync = measured('two rsyncs', 'first backup', { seconds: 2 })
    const large = figures(targetRows('large', [twofold, restic, rsync]))
    expect(large['first backup, time ÷ restic']).to.deep.equal([3 / 9, '≤ 0.33', false])
    expect(large['first backup, time ÷ two rsyncs']).to.deep.equal([1.5, '≤ 1.6', true])
    expect(large['first backup, CPU ÷ restic']).to.deep.equal([0.4, '≤ 0.35', false])
    const small = figures(targetRows('small', [twofold, restic, rsync]))
    expect(small['first backup, time ÷ restic']).to.deep.equal([3 / 9, '≤ 0.5', true])
    expect(small['first backup, time ÷ two rsyncs']).to.deep.equal([1.5, '≤ 0.8', false])
    expect(small['first backup, CPU ÷ restic']).to.deep.equal([0.4, '≤ 0.6', true])
  })

  it('compare speed as the time of the other as a multiple of ours', () => {
    const pipeline = measured('raw', 'pipeline', { seconds: 2.7 })
    const alone = measured('twofold 1 copy', 'first backup', { seconds: 1.5 })
    const rows = figures(targetRows('large', [twofold, pipeline, alone]))
    expect(rows['first backup, time of the pipeline ÷ time']).to.deep.equal([2.7 / 3, '≥ 0.8', true])
    expect(rows['first backup, speed with 2 copies ÷ with 1 copy']).to.deep.equal([0.5, '≥ 0.75', false])
  })

  it('leave out a ratio of which one side is not known or nothing', () => {
    const restic = (storedBytes: number | undefined): Measured => measured('restic', 'second day', { storedBytes })
    const ours = measured('twofold', 'second day', { storedBytes: 11 })
    const stored = (bytes: number | undefined): unknown =>
      figures(targetRows('mixed', [ours, restic(bytes)]))['second day, stored ÷ restic']
    expect(stored(10)).to.deep.equal([1.1, '≤ 1.1', true])
    expect(stored(0)).to.equal(undefined)
    expect(stored(undefined)).to.equal(undefined)
  })
})
