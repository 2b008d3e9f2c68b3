import { expect } from 'chai'
import { findLimits, isComplete } from '../../../../src/client/benchmark-report.ts'
import type {
  BenchmarkReport,
  ClusterFigures,
  LocalFigures,
  NodeFigures,
} from '../../../../src/client/benchmark-report.ts'
import type { Rate } from '../../../../src/client/benchmark-timing.ts'
import { TwofoldError } from '../../../../src/core/errors.ts'

const rate = (bytesPerSecond: number): Rate => ({ bytes: bytesPerSecond, seconds: 1, bytesPerSecond })

const local: LocalFigures = {
  diskWrite: rate(500),
  diskRead: { ...rate(500), cached: false },
  hash: rate(3000),
  chunk: rate(3000),
  incompressible: rate(3000),
  compressible: { ...rate(400), ratio: 4 },
}

function clusterOf(send: number, pipeline: number | TwofoldError): ClusterFigures {
  const node = { send: rate(send), problem: '' } as NodeFigures
  return {
    managerRoundTrip: { calls: 1, medianMs: 1, p99Ms: 1 },
    nodes: [node, node],
    pipeline: typeof pipeline === 'number' ? { ...rate(pipeline), packs: 1, copies: 2 } : pipeline,
  }
}

function limitsOf(report: BenchmarkReport): string[] {
  return findLimits(report).map(({ content, by, bytesPerSecond }) => `${content} ${by} ${Math.round(bytesPerSecond)}`)
}

describe('what limits a backup', () => {
  it('is what takes its turn on the processor when only this machine counts', () => {
    expect(limitsOf({ local, cluster: undefined })).to.deep.equal([
      'incompressible processor 1000',
      'compressible compression 400',
    ])
  })

  it('is the way to the nodes when packs are durable as fast as they stream', () => {
    expect(limitsOf({ local, cluster: clusterOf(100, 95) })).to.deep.equal([
      'incompressible streaming 95',
      'compressible streaming 380',
    ])
  })

  it('is what happens on the nodes when packs stream much faster than they are durable', () => {
    expect(limitsOf({ local, cluster: clusterOf(100, 20) })).to.deep.equal([
      'incompressible durability 20',
      'compressible durability 80',
    ])
  })

  it('is told without the pipeline when that failed, and the report is not complete', () => {
    const failed = { local, cluster: clusterOf(100, new TwofoldError('no-room', 'full')) }
    expect(limitsOf(failed)).to.deep.equal(limitsOf({ local, cluster: undefined }))
    expect(isComplete(failed)).to.equal(false)
    expect(isComplete({ local, cluster: undefined })).to.equal(true)
    expect(isComplete({ local, cluster: clusterOf(100, 20) })).to.equal(true)
  })
})
