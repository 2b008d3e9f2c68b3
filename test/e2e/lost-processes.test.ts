import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster } from '../../bench/cluster.ts'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { packFiles, RunningBackup, unfinishedFiles } from './running-backup.ts'
import { seededBytes } from './seeded-bytes.ts'

/** Enough for seven packs of incompressible bytes. */
const files = 14
const fileBytes = 8_000_000
const managerOptions = ['--suspect-after', '1500ms', '--dead-after', '60s']

describe('processes killed in the middle of a backup', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  before(() => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-lost-')))
    source = join(folder, 'source')
    fs.mkdirSync(source)
    for (let number = 0; number < files; number++) {
      fs.writeFileSync(join(source, `${number}`), seededBytes(number + 1, fileBytes))
    }
  })
  after(() => execFileSync('rm', ['-rf', folder]))
  afterEach(() => cluster.stop())

  /** As long as not all nodes know of one that has just joined, more must record a snapshot than are left here. */
  async function startAcquainted(): Promise<void> {
    cluster = await Cluster.start({ managerOptions })
    await cluster.waitForReports()
  }

  async function expectRestorable(): Promise<void> {
    const target = join(folder, 'restored')
    const { code, stderr } = await cluster.run(['restore', 'latest', '--target', target])
    expect(code, stderr).to.equal(0)
    expect(TreeComparison.compare(source, join(target, source)).differences).to.deep.equal([])
    execFileSync('rm', ['-rf', target])
  }

  async function expectFullCopies(): Promise<void> {
    const [snapshots = []] = await cluster.json<{ durability: { copies: number; nodes: string[] } }[]>(['snapshots'])
    expect(snapshots.at(-1)?.durability.copies).to.equal(2)
  }

  it('goes on when a primary dies: its pack is sent to another', async () => {
    await startAcquainted()
    const backup = new RunningBackup(cluster, [source])
    await backup.killInTheMiddle('primary')
    expect(await backup.end(), backup.stderr).to.equal(0)
    expect(backup.retried).to.be.greaterThan(0)
    await expectFullCopies()
    await expectRestorable()
  })

  it('goes on when a replica dies: another takes its place', async () => {
    await startAcquainted()
    const backup = new RunningBackup(cluster, [source])
    const lost = await backup.killInTheMiddle('replica')
    expect(await backup.end(), backup.stderr).to.equal(0)
    await expectFullCopies()
    await expectRestorable()
    await cluster.startProcess(lost)
    expect(unfinishedFiles(cluster, lost), 'what a node finds unfinished at its start').to.deep.equal([])
  })

  it('fails with "not enough nodes" when nobody is left, and leaves nothing half-committed', async () => {
    cluster = await Cluster.start({ nodes: 2, managerOptions })
    const backup = new RunningBackup(cluster, [source])
    const lost = await backup.killInTheMiddle('replica')
    expect(await backup.end()).to.equal(14)
    expect(backup.stderr).to.match(/"code":14.*not enough nodes/)
    expect(await cluster.json<object[]>(['snapshots'])).to.deep.equal([[]])
    const survivor = cluster.nodeNames.find((name) => name !== lost) ?? ''
    await cluster.waitFor('the rolled back packs to be gone', async () => {
      const [status] = await cluster.json<{ packs: number }>(['status'])
      return unfinishedFiles(cluster, survivor).length === 0 && packFiles(cluster, survivor).length === status?.packs
    })
    await cluster.startProcess(lost)
    await cluster.waitForNodes()
    expect((await cluster.run(['backup', source])).code).to.equal(0)
    await expectRestorable()
  })

  it('goes on when the manager is killed and comes back', async () => {
    cluster = await Cluster.start({ managerOptions })
    const backup = new RunningBackup(cluster, [source])
    await backup.untilTransfer()
    await cluster.kill('manager')
    await cluster.startProcess('manager')
    expect(await backup.end(), backup.stderr).to.equal(0)
    await expectFullCopies()
    await expectRestorable()
  })

  it('ends with 130 when it is interrupted, and there is no snapshot', async () => {
    cluster = await Cluster.start({ managerOptions })
    const backup = new RunningBackup(cluster, [source])
    await backup.untilTransfer()
    backup.interrupt('SIGINT')
    expect(await backup.end()).to.equal(130)
    expect(await cluster.json<object[]>(['snapshots'])).to.deep.equal([[]])
  })

  it('keeps everything when all processes are killed and started again', async () => {
    cluster = await Cluster.start({ managerOptions })
    expect((await cluster.run(['backup', source])).code).to.equal(0)
    const names = ['manager', ...cluster.nodeNames]
    await Promise.all(names.map((name) => cluster.kill(name)))
    for (const name of names) await cluster.startProcess(name)
    await cluster.waitForNodes()
    await expectFullCopies()
    await expectRestorable()
  })
})
