import { expect } from 'chai'
import type { Measurement, Usage } from '../../../bench/measure/measurement.ts'
import { headLines, reportWorkload, summarize, workloadLines } from '../../../bench/report.ts'
import { inTurn } from '../../../bench/run-workload.ts'
import type { Step } from '../../../bench/run-workload.ts'

const size = { files: 1000, bytes: 50_000_000 }

function step(program: string, name: string, measurement: Partial<Measurement>): Step {
  const usage: Usage = { cpuSeconds: 1.25, peakRssBytes: 90_000_000 }
  const whole = { seconds: 1, storedBytes: undefined, processes: { client: usage }, ...measurement }
  return { program, step: name, run: 1, size, measurement: whole }
}

const raw = (seconds: number): Step =>
  step('raw', 'cp', { seconds, processes: { client: { cpuSeconds: 0.5, peakRssBytes: undefined } } })
const first = (seconds: number): Step => {
  const client = { cpuSeconds: 2, peakRssBytes: 150_000_000 }
  const manager = { cpuSeconds: 0.25, peakRssBytes: 110_000_000, loopDelay: { p99: 12.3, most: 40 } }
  return step('twofold', 'first', { seconds, storedBytes: 12_345_678, processes: { client, manager } })
}

const linesOf = (steps: readonly Step[]): string[] =>
  workloadLines(reportWorkload({ name: 'one', description: 'some files' }, steps))

describe('the report of the benchmark', () => {
  it('brings the same steps of all runs together, with their ratios to the raw limits', () => {
    const results = summarize([raw(1), first(5), raw(3), first(4), raw(2), first(9)])
    expect(results.map((result) => [result.program, result.step, result.median.seconds, result.ratios])).to.deep.equal([
      ['raw', 'cp', 2, {}],
      ['twofold', 'first', 5, { cp: 2.5 }],
    ])
    expect(results[1]?.runs.map(({ seconds }) => seconds)).to.deep.equal([5, 4, 9])
  })

  it('shows no minus before what is rounded to nothing', () => {
    const lines = linesOf([step('two rsyncs', 'second', { storedBytes: -20_000 })]).join('\n')
    expect(lines).to.match(/ 0\.0\n/)
    expect(lines).not.to.include('-0.0')
  })

  it('is a table of speed and one of cost', () => {
    expect(linesOf([raw(2), first(5), first(4), first(9)]).slice(0, -4)).to.deep.equal([
      'one, some files: 1,000 files, 50.0 MB',
      '',
      'program  step      s  least–most  MB/s  files/s  stored MB  ÷ cp',
      '----------------------------------------------------------------',
      'raw      cp     2.00              25.0      500',
      'twofold  first  5.00   4.00–9.00  10.0      200       12.3  2.50',
      '',
      'program  step   CPU s: all  client  manager  peak MB: client  manager  delay ms: manager',
      '----------------------------------------------------------------------------------------',
      'raw      cp           0.50    0.50',
      'twofold  first        2.25    2.00     0.25              150      110                 12',
    ])
  })

  it('ends with what became of the targets', () => {
    expect(linesOf([first(5)]).slice(-4)).to.deep.equal([
      '',
      'target                                              figure  bound  reached',
      '--------------------------------------------------------------------------',
      'any step, p99 of the servers’ event-loop delay, ms      12  ≤ 50   yes',
    ])
  })

  it('says what other programs it has, or that it has none', () => {
    const machine = { cpu: 'x', cores: 2, memoryBytes: 8e9, kernel: 'k', node: 'v', directory: '/d', fileSystem: 'e' }
    const report = { machine: { ...machine, load: 0.5 }, startedAt: 'now', workloads: [] }
    const options = { scale: 1, seed: 's', runs: 5 }
    expect(headLines({ ...report, options, peers: {} }).at(-1)).to.include('PEERS=1')
    expect(headLines({ ...report, options, peers: { restic: 'restic 0.14.0' } }).at(-1)).to.equal('restic 0.14.0')
  })
})

describe('the order of the programs', () => {
  it('begins with another one in every run', () => {
    expect([1, 2, 3, 4].map((run) => inTurn(['a', 'b', 'c'], run).join(''))).to.deep.equal(['abc', 'bca', 'cab', 'abc'])
    expect(inTurn([], 2)).to.deep.equal([])
  })
})
