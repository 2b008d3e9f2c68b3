import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, launcher } from '../../bench/cluster.ts'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { RunningProcess } from '../../bench/running-process.ts'
import { JsonDocument } from './json-document.ts'
import { makeNastyTree } from './nasty-tree.ts'

interface Run {
  readonly state: string
  readonly serial: number
  readonly attempt: number
  readonly message: string
}

describe('scheduled backups by real agents', function () {
  let cluster: Cluster
  let folder: string
  let site: string
  let agent: RunningProcess
  const name = '-- a "site" 1\tö'

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-agents-')))
    site = join(folder, 'srv', name)
    fs.mkdirSync(join(folder, 'srv'))
    makeNastyTree(site)
    // An archive has to have all of a hole.
    fs.rmSync(join(site, 'sparse', 'over 4 GiB'))
    cluster = await Cluster.start({ nodes: 2 })
    agent = await startAgent()
  })
  after(async () => {
    await agent.end('SIGKILL')
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  async function startAgent(): Promise<RunningProcess> {
    const { process: started } = await RunningProcess.start({
      command: launcher,
      arguments: [
        'agent',
        '--name',
        'web1',
        '--allow',
        join(folder, 'srv'),
        '--hook',
        'mark=touch "$TWOFOLD_PATH.ran"',
        '--json',
      ],
      environment: cluster.environment,
      logFile: join(folder, 'agent.log'),
    })
    return started
  }

  async function run(code = 0): Promise<Run> {
    const [done] = await cluster.json<Run>(['schedule', 'run', '--agent', 'web1', '--path', site, '--wait'], code)
    return done as Run
  }

  it('save any path, and give it back as an archive that GNU tar unpacks to the same tree', async () => {
    const add = ['schedule', 'add', '--agent', 'web1', '--path', site, '--every', '1h', '--after', 'mark']
    expect((await cluster.run(add)).stdout).to.contain('Added.')
    expect(await run()).to.include({ serial: 1 })
    expect(fs.existsSync(`${site}.ran`)).to.equal(true)
    expect(await run()).to.include({ state: 'unchanged', serial: 1 })

    const target = join(folder, 'unpacked')
    fs.mkdirSync(target)
    const archive = join(folder, 'site.tgz')
    const fetch = ['fetch', '--agent', 'web1', '--path', site, '-o']
    expect((await cluster.run([...fetch, archive])).code).to.equal(0)
    execFileSync('tar', ['-xpzf', archive, '-C', target])
    const owners = process.getuid?.() === 0
    const { files, differences } = TreeComparison.compare(site, join(target, name), { owners })
    expect(differences).to.deep.equal([])
    expect(files).to.be.above(5)

    const before = fs.readFileSync(archive)
    expect((await cluster.run([...fetch, archive])).code).to.equal(13)
    expect(fs.readFileSync(archive).equals(before)).to.equal(true)
    expect((await cluster.run([...fetch, target])).code).to.equal(1)
    expect((await cluster.run([...fetch, join(folder, 'x'), '--serial', '7'])).code).to.equal(10)
    expect((await cluster.run([...fetch, archive, '--force'])).code).to.equal(0)
    expect(fs.readdirSync(folder).filter((each) => each.endsWith('.part'))).to.deep.equal([])
  })

  it('leave nothing of an archive for which there is no room', async () => {
    const full = join(folder, 'full')
    fs.mkdirSync(full)
    const line = 'ulimit -f 1; trap "" XFSZ; exec "$0" fetch --agent web1 --path "$1" -o "$2" --format tar'
    const args = ['-c', line, launcher, site, join(full, 'site.tar')]
    expect(() => execFileSync('sh', args, { env: cluster.environment, stdio: 'pipe' })).to.throw(
      'nothing of the archive',
    )
    expect(fs.readdirSync(full)).to.deep.equal([])
  })

  it('go on after the agent and the manager were killed', async () => {
    await agent.end('SIGKILL')
    fs.writeFileSync(join(site, 'new'), 'new')
    const running = run()
    agent = await startAgent()
    expect(await running).to.include({ state: 'saved', serial: 2 })
    await cluster.kill('manager')
    await cluster.startProcess('manager')
    fs.writeFileSync(join(site, 'new'), 'newer')
    expect(await run()).to.include({ state: 'saved', serial: 3 })
  })

  it('are shown with --json as docs/json.md says', async () => {
    const document = new JsonDocument(join(import.meta.dirname, '../../docs/json.md'))
    const compare = async (title: string, ...args: readonly string[]): Promise<void> => {
      const lines = (await cluster.json<unknown>(args)).flat()
      expect(lines, args.join(' ')).not.to.deep.equal([])
      for (const line of lines) expect(document.differences(line, title), args.join(' ')).to.deep.equal([])
    }
    await compare('scheduleInfo', 'schedule', 'list')
    await compare('scheduleInfo', 'schedule', 'pause', '--agent', 'web1', '--path', site)
    await compare('scheduleInfo', 'schedule', 'resume', '--agent', 'web1', '--path', site)
    await compare('scheduleRun', 'schedule', 'runs')
    await compare('agentInfo', 'schedule', 'agents')
    await compare('agentInfo', 'agents')
    await compare('fetch', 'fetch', '--agent', 'web1', '--path', site, '-o', join(folder, 'again.tgz'))
    const [shown] = await cluster.json<{ versions: unknown[] }>(['schedule', 'show', '--agent', 'web1', '--path', site])
    const { versions = [], ...schedule } = shown ?? {}
    expect(document.differences(schedule, 'scheduleInfo')).to.deep.equal([])
    expect(versions.map((version) => document.differences(version, 'madeVersion')).flat()).to.deep.equal([])
  })

  it('tell a monitor of a schedule that fails', async () => {
    const add = ['schedule', 'add', '--agent', 'web1', '--path', '/etc', '--at', 'yearly']
    const added = await cluster.run(add)
    expect(added.code).to.equal(0)
    expect(added.stdout).to.match(/web1 allows .*, and refuses \/etc\. Its runs are refused then until/)
    const [refused] = await cluster.json<Run>(['schedule', 'run', 'web1:/etc', '--wait'], 1)
    expect(refused).to.include({ state: 'refused' })
    const status = await cluster.run(['status', '--fail-on', 'failing,overdue'])
    expect(status.code).to.equal(17)
    expect(status.stdout).to.contain('failing: 1 schedule: web1:/etc')
    expect((await cluster.run(['status', '--fail-on', 'overdue'])).code).to.equal(0)
  })

  it('wait while the cluster is shut down, and go on when it is back; only who has stopped is forgotten', async () => {
    expect((await cluster.run(['shutdown', '--yes'])).code).to.equal(0)
    for (const name of ['n1', 'n2', 'manager']) expect(await cluster.untilEnded(name)).to.equal(0)
    for (const name of ['manager', 'n1', 'n2']) await cluster.startProcess(name)
    await cluster.waitForNodes()
    fs.writeFileSync(join(site, 'new'), 'after the shutdown')
    expect(await run()).to.include({ state: 'saved', serial: 4 })

    expect((await cluster.run(['agent', 'remove', 'web1'])).code).to.equal(13)
    for (const path of [site, '/etc']) {
      await cluster.json(['schedule', 'remove', '--agent', 'web1', '--path', path])
    }
    const there = await cluster.run(['agent', 'remove', 'web1'])
    expect(there.code).to.equal(13)
    expect(there.stderr).to.contain('is there')
    expect(await agent.end('SIGTERM')).to.equal(0)
    expect((await cluster.run(['agent', 'remove', 'web1'])).stdout).to.contain('its backups stay')
    expect((await cluster.run(['agents'])).stdout).to.contain('There are no agents')
    const archive = join(folder, 'of-one-that-is-gone.tgz')
    expect((await cluster.run(['fetch', '--agent', 'web1', '--path', site, '-o', archive])).code).to.equal(0)
  })
})
