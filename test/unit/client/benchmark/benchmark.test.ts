import { expect } from 'chai'
import { runBenchmark } from '../../../../src/client/benchmark.ts'
import type { BenchmarkOptions, BenchmarkRequest } from '../../../../src/client/benchmark.ts'
import { isComplete, isPipelineFigures } from '../../../../src/client/benchmark-report.ts'
import type { BenchmarkReport } from '../../../../src/client/benchmark-report.ts'
import type { Clock } from '../../../../src/core/clock.ts'
import { TwofoldError } from '../../../../src/core/errors.ts'
import { SimDisk } from '../../../sim/sim-disk.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import type { BackupFixture } from '../../../support/backup-fixture.ts'
import { expectError } from '../../../support/expect-error.ts'

/** Every look at it is 20 ms after the one before, so that all that is measured ends. */
function tickingClock(clock: Clock): Clock {
  let ms = 0
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => (ms += 20),
    sleep: (sleepMs, signal) => clock.sleep(sleepMs, signal),
    yield: () => clock.yield(),
  }
}

describe('a benchmark', function () {
  let fixture: BackupFixture
  let disk: SimDisk

  beforeEach(async () => {
    fixture = await createBackupFixture()
    disk = new SimDisk({ random: fixture.random, capacityBytes: 1e9, before: () => Promise.resolve() })
  })

  function benchmark(
    request: Partial<BenchmarkRequest> = {},
    options: BenchmarkOptions = {},
  ): Promise<BenchmarkReport> {
    const deps = { ...fixture.deps, clock: tickingClock(fixture.clock) }
    const openUncached = (): Promise<undefined> => Promise.resolve(undefined)
    return runBenchmark(deps, { disk, openUncached, seconds: 0.05, bytesMax: 20e6, local: false, ...request }, options)
  }

  async function expectNothingLeft(): Promise<void> {
    await fixture.cluster.beatAll()
    expect(await fixture.cluster.files()).to.deep.equal([])
    expect(fixture.cluster.packs.size).to.equal(0)
    const { packs, chunks, snapshots, storedBytes, sessionsOpen } = await fixture.deps.manager.getStatus()
    expect({ packs, chunks, snapshots, storedBytes, sessionsOpen }).to.deep.equal({
      ...{ packs: 0, chunks: 0, snapshots: 0, storedBytes: 0, sessionsOpen: 0 },
    })
    expect(disk.files()).to.deep.equal([])
  }

  it('measures everything and leaves nothing on the nodes', async () => {
    const stages: string[] = []
    const report = await benchmark({}, { onStage: (what) => stages.push(what) })
    expect(isComplete(report)).to.equal(true)
    const { cluster, local } = report
    expect(local.compressible.ratio).to.be.above(2)
    expect(local.diskRead.cached).to.equal(true)
    for (const { bytes, bytesPerSecond } of [local.diskWrite, local.diskRead, local.hash, local.chunk]) {
      expect(Math.min(bytes, bytesPerSecond)).to.be.above(0)
    }
    expect(cluster?.nodes.map(({ info }) => info.node.name).toSorted()).to.deep.equal(['n1', 'n2', 'n3'])
    for (const { roundTrip, send, receive } of cluster?.nodes ?? []) {
      expect(roundTrip?.calls).to.be.above(0)
      expect(Math.min(send?.bytes ?? 0, receive?.bytes ?? 0)).to.be.above(0)
    }
    expect(cluster?.pipeline).to.include({ copies: 2 })
    expect(stages).to.include('the pipeline')
    await expectNothingLeft()
    const [last] = (await fixture.deps.manager.listHistory('', { pageSize: 1, pageToken: '' })).items
    expect(last).to.include({ kind: 'backup', result: 'abandoned', subject: '/twofold-benchmark' })
  })

  it('asks nothing of the cluster when only this machine is measured', async () => {
    const before = fixture.cluster.trace.length
    expect((await benchmark({ local: true })).cluster).to.equal(undefined)
    expect(fixture.cluster.trace.length).to.equal(before)
    expect(disk.files()).to.deep.equal([])
  })

  it('measures the rest when a node is away', async () => {
    fixture.cluster.kill('n2')
    const report = await benchmark()
    expect(isComplete(report)).to.equal(false)
    const away = report.cluster?.nodes.find(({ info }) => info.node.name === 'n2')
    expect(away?.problem).not.to.equal('')
    expect(away).not.to.have.any.keys('roundTrip', 'send', 'receive')
    expect(report.cluster?.pipeline).to.include({ copies: 2 })
    await expectNothingLeft()
  })

  it('says why there is no pipeline when too few nodes are left', async () => {
    fixture.lose('n1', 'n2')
    await fixture.cluster.beatAll()
    const { cluster } = await benchmark()
    if (cluster === undefined || isPipelineFigures(cluster.pipeline)) throw new Error('it has a pipeline')
    expect(cluster.pipeline.code).to.equal('not-enough-nodes')
    expect(disk.files()).to.deep.equal([])
  })

  it('leaves nothing when it is interrupted', async () => {
    for (const stage of ['the way to the nodes', 'the pipeline', 'the disk']) {
      const controller = new AbortController()
      const onStage = (what: string): void => {
        if (what === stage) controller.abort(new TwofoldError('cancelled', 'interrupted'))
      }
      await expectError(benchmark({}, { onStage, signal: controller.signal }), 'cancelled')
      await expectNothingLeft()
    }
  })

  it('leaves nothing when it is interrupted in the middle of a pack', async () => {
    const controller = new AbortController()
    fixture.cluster.faults.onSlice = (_node, _pack, index) => {
      if (index === 5) controller.abort(new TwofoldError('cancelled', 'interrupted'))
    }
    await expectError(benchmark({}, { signal: controller.signal }), 'cancelled')
    await expectNothingLeft()
  })

  it('ends when there is no such vault', async () => {
    await expectError(benchmark({ vault: 'none' }), 'not-found')
    await expectNothingLeft()
  })
})
