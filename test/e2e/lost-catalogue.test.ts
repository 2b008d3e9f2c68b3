import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster } from '../../bench/cluster.ts'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { seededBytes } from './seeded-bytes.ts'

interface Listed {
  readonly id: string
}
interface Status {
  readonly lineage: string
}

describe('a catalogue that is lost, or put back from an older copy', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  beforeEach(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-catalogue-')))
    source = join(folder, 'source')
    fs.mkdirSync(source)
    cluster = await Cluster.start()
  })
  afterEach(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  async function succeed(args: readonly string[]): Promise<string> {
    const { code, stderr, stdout } = await cluster.run(args)
    expect(code, `${args.join(' ')}: ${stderr}`).to.equal(0)
    return stdout
  }

  async function backup(number: number): Promise<void> {
    fs.writeFileSync(join(source, `file ${number}`), seededBytes(number, 300_000))
    await succeed(['backup', source])
  }

  async function ids(): Promise<string[]> {
    const [listed = []] = await cluster.json<Listed[]>(['snapshots'])
    return listed.map(({ id }) => id)
  }

  const data = (): string => cluster.dataDirectory('manager')
  const recover = (): Promise<string> =>
    succeed(['manager', 'recover', '--from-nodes', '--data', data(), '--listen', cluster.managerAddress])

  async function expectRestorable(): Promise<void> {
    const target = join(folder, 'restored')
    await succeed(['restore', 'latest', '--target', target])
    expect(TreeComparison.compare(source, join(target, source)).differences).to.deep.equal([])
    execFileSync('rm', ['-rf', target])
  }

  async function restart(): Promise<void> {
    await cluster.startProcess('manager')
    await cluster.waitForNodes()
  }

  it('is made again from the nodes alone', async () => {
    await backup(1)
    await backup(2)
    const before = await ids()
    await cluster.kill('manager')
    fs.rmSync(data(), { recursive: true })
    fs.mkdirSync(data())
    expect(await recover()).to.match(/Snapshots: +2,/)
    await restart()
    expect(await ids()).to.deep.equal(before)
    await expectRestorable()
    await backup(3)
    expect(await ids()).to.have.length(3)
    await expectRestorable()
  })

  it('is recognised when it is an older copy, deletes nothing, and has everything after a recovery', async () => {
    await backup(1)
    const copy = join(folder, 'copy.db')
    await succeed(['manager', 'backup-catalogue', '--data', data(), '--to', copy])
    await backup(2)
    await backup(3)
    const before = await ids()
    await cluster.end('manager')
    await succeed(['manager', 'restore-catalogue', '--data', data(), '--from', copy])
    await restart()
    await cluster.waitFor('the older copy to be recognised', async () => {
      const [status] = await cluster.json<Status>(['status'])
      return status?.lineage === 'rolled-back'
    })
    expect(await ids()).to.deep.equal(before.slice(0, 1))
    const refused = await cluster.run(['backup', source])
    expect([refused.code, refused.stderr]).to.satisfy(([code, stderr]: [number, string]) => {
      return code === 13 && stderr.includes('twofold manager recover --from-nodes')
    })
    await cluster.end('manager')
    await recover()
    await restart()
    expect(await ids()).to.deep.equal(before)
    const [status] = await cluster.json<Status>(['status'])
    expect(status?.lineage).to.equal('verified')
    await expectRestorable()
  })
})
