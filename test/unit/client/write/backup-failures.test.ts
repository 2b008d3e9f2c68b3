import { expect } from 'chai'
import { TwofoldError } from '../../../../src/core/errors.ts'
import { nodeSuspectAfterMs } from '../../../../src/core/limits.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import { expectError } from '../../../support/expect-error.ts'

const gone = (): never => {
  throw new TwofoldError('unavailable', 'connection reset')
}

describe('a backup on a cluster that fails', () => {
  it('sends a pack again elsewhere when its primary dies in the middle', async () => {
    const { source, random, backup, entries, cluster, eventsOf } = await createBackupFixture()
    const content = random.bytes(5_000_000)
    source.file('/src/a', content)
    let killed: string | undefined
    cluster.faults.onSlice = (node, _pack, index) => {
      if (killed === undefined && index === 3) cluster.kill((killed = node.name))
    }
    const summary = await backup()
    expect((await entries(summary)).get('/src/a')?.content.equals(content)).to.equal(true)
    const retried = eventsOf('pack').filter(({ state }) => state === 'retry')
    // Until the manager has noticed, a later pack may be sent to the dead node too.
    expect(new Set(retried.map(({ primary }) => primary))).to.deep.equal(new Set([killed]))
    expect(summary.packs.flatMap(({ nodes }) => nodes)).to.not.include(killed)
    expect(summary.bytesSent).to.be.greaterThan(5_000_000)
  })

  it('fails with not-enough-nodes when nobody is left, and leaves no snapshot', async () => {
    const { source, random, backup, cluster, clock } = await createBackupFixture()
    source.file('/src/a', random.bytes(3_000_000))
    cluster.faults.onSlice = () => {
      for (const node of cluster.nodes) cluster.kill(node.name)
    }
    const error = await expectError(backup(), 'not-enough-nodes')
    expect(error.message).to.contain('a pack needs 2 that are up')
    expect(cluster.snapshots.size).to.equal(0)
    expect(cluster.count('endSession')).to.equal(1)
    expect(clock.monotonicMs()).to.be.within(10_000, 30_000)
  })

  it('waits for nodes that come back in time', async () => {
    const { source, backup, cluster, clock } = await createBackupFixture()
    source.file('/src/a', 'a')
    cluster.kill('n1')
    cluster.kill('n2')
    clock.advance(nodeSuspectAfterMs)
    let asked = 0
    cluster.faults.before = (call) => {
      if (call === 'allocatePack' && ++asked === 4) cluster.revive('n1')
    }
    expect((await backup()).snapshot?.durability.copies).to.equal(2)
  })

  it('does not send a pack again that was committed although its answer was lost', async () => {
    const { source, random, backup, cluster } = await createBackupFixture()
    source.file('/src/a', random.bytes(1_000_000))
    let lost = 0
    cluster.faults.onUploaded = () => {
      if (lost++ === 0) gone()
    }
    const summary = await backup()
    expect(cluster.count('upload')).to.equal(cluster.packs.size)
    expect(summary.packs.map(({ packId }) => packId)).to.deep.equal([...cluster.packs.keys()])
  })

  it('goes on when the manager was away, before or after any of its calls took effect', async () => {
    for (const when of ['before', 'after'] as const) {
      const { source, random, backup, entries, cluster } = await createBackupFixture()
      source.file('/src/a', random.bytes(1000))
      await backup()
      source.file('/src/b', random.bytes(1000))
      const failures = new Map<string, number>()
      cluster.faults[when] = (call) => {
        const count = (failures.get(call) ?? 0) + 1
        failures.set(call, count)
        if (count <= 3 && call !== 'locateChunks') gone()
      }
      const summary = await backup()
      expect([...(await entries(summary)).keys()]).to.deep.equal(['/src', '/src/a', '/src/b'])
      expect([...failures.keys()]).to.include.members(['beginBackup', 'lookupChunks', 'allocatePack', 'commitSnapshot'])
      expect(cluster.snapshots.size).to.equal(2)
    }
  })

  it('gives up when the manager stays away', async () => {
    const { source, backup, cluster, clock } = await createBackupFixture()
    source.file('/src/a', 'a')
    cluster.faults.before = gone
    await expectError(backup(), 'unavailable')
    expect(clock.monotonicMs()).to.be.within(50_000, 70_000)
  })

  it('keeps its session alive through a slow upload', async () => {
    const { source, random, backup, cluster, clock } = await createBackupFixture()
    source.file('/src/a', random.bytes(2_000_000))
    cluster.faults.onSlice = () => clock.sleep(25_000)
    await backup()
    expect(clock.monotonicMs()).to.be.greaterThan(120_000)
    expect(cluster.count('renewSession')).to.be.greaterThan(5)
  })

  it('says so when the session is lost', async () => {
    const { source, random, backup, cluster, clock } = await createBackupFixture()
    source.file('/src/a', random.bytes(2_000_000))
    cluster.faults.onSlice = () => clock.sleep(25_000)
    cluster.faults.before = (call) => {
      if (call === 'renewSession') throw new TwofoldError('session-ended', 'the session is over')
    }
    const error = await expectError(backup(), 'session-ended')
    expect(error.message).to.contain('session was lost')
    expect(cluster.snapshots.size).to.equal(0)
  })

  it('ends when it is cancelled, and gives its session up', async () => {
    const { source, random, backup, cluster } = await createBackupFixture()
    source.file('/src/a', random.bytes(4_000_000))
    const controller = new AbortController()
    cluster.faults.onSlice = (_node, _pack, index) => {
      if (index === 2) controller.abort()
    }
    await expectError(backup({}, { signal: controller.signal }), 'cancelled')
    expect(cluster.snapshots.size).to.equal(0)
    expect(cluster.packs.size).to.equal(0)
    expect(cluster.trace.at(-1)).to.equal('endSession')
  })

  it('says so when data lost copies before the commit', async () => {
    const { source, backup, cluster, lose } = await createBackupFixture()
    source.file('/src/a', 'a')
    cluster.faults.before = (call) => {
      if (call === 'commitSnapshot') lose(cluster.holders(cluster.records('data')[0]!)[0]!.name)
    }
    const error = await expectError(backup(), 'missing-chunks')
    expect(error.message).to.contain('run it again')
  })

  it('stops reading when nothing is taken from it', async () => {
    const { source, random, backup, cluster } = await createBackupFixture()
    const block = new Uint32Array(random.bytes(8_000_000).slice().buffer)
    for (let number = 0; number < 25; number++) {
      source.file(`/src/${number}`, new Uint8Array(block.map((word) => word ^ Math.imul(number, 0x9e3779b1)).buffer))
    }
    let open: (() => void) | undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    cluster.faults.onSlice = () => gate
    const running = backup({ countAhead: false })
    let reads = -1
    while (reads !== source.reads.length) {
      reads = source.reads.length
      for (let turn = 0; turn < 200; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    }
    // Three packs of 16 MiB and, as the vault is empty, two batches of 6 MiB: 63 MB, of files of 8 MB.
    expect(reads).to.be.within(7, 9)
    open?.()
    expect((await running).stats.filesNew).to.equal(25)
  })

  it('does the same again with the same seed', async () => {
    const traces: string[] = []
    for (let run = 0; run < 2; run++) {
      const { source, random, backup, cluster } = await createBackupFixture({ seed: 42 })
      for (let number = 0; number < 50; number++) source.file(`/src/${number}`, random.bytes(number * 20_000))
      let slices = 0
      cluster.faults.onSlice = () => {
        if ([10, 50, 51, 120].includes(++slices)) gone()
      }
      const summary = await backup()
      traces.push([...cluster.trace, summary.snapshot?.id].join('\n'))
    }
    expect(traces[0]).to.equal(traces[1])
    expect(traces[0]).to.contain('abandonPack')
  })
})
