import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, launcher } from '../../bench/cluster.ts'

describe('the command line', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-command-line-')))
    source = join(folder, 'source')
    fs.mkdirSync(source)
    fs.writeFileSync(join(source, 'a'), 'a')
    cluster = await Cluster.start({ nodes: 2, domains: { n1: 'rack 1', n2: 'rack 2' } })
  })
  after(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  // What every other command prints with --json is compared with its document in people.test.ts.
  it('writes content as it is, also with --json', async () => {
    expect((await cluster.run(['backup', source])).code).to.equal(0)
    const dumped = await cluster.run(['dump', 'latest', join(source, 'a'), '--json'])
    expect(dumped.stdout).to.equal('a')
  })

  it('uses the message types of restic', async () => {
    const lines = await cluster.json<{ message_type: string }>(['backup', source])
    expect(lines.map(({ message_type }) => message_type)).to.include('summary')
    const listed = await cluster.json<{ message_type: string }>(['ls', 'latest'])
    expect(listed[0]).to.include({ message_type: 'snapshot', struct_type: 'snapshot' })
    expect(listed.at(-1)).to.include({ message_type: 'node', type: 'file', name: 'a', path: join(source, 'a') })
    const [snapshots = []] = await cluster.json<Record<string, unknown>[]>(['snapshots'])
    expect(snapshots[0]).to.include.keys('id', 'short_id', 'time', 'hostname', 'paths', 'tree', 'durability', 'summary')
  })

  it('says how safe a snapshot is', async () => {
    const { stdout } = await cluster.run(['backup', source])
    expect(stdout).to.match(/2\/2 fsynced copies on 2 failure domains \(n1, n2\), proven (just now|\d+ seconds ago)/)
  })

  it('prints no colours and no carriage returns into a pipe', async () => {
    for (const command of [['backup', source], ['snapshots'], ['status']]) {
      const { stdout } = await cluster.run(command)

      expect(stdout).not.to.match(/[\x1b\r]/)
    }
  })

  it('says nothing of what it did with --quiet, and with --verbose twice of every call', async () => {
    const one = ['--agent', 'web1', '--path', '/srv/site']
    for (const args of [
      ['tag', 'latest', '--add', 'x'],
      ['tasks'],
      ['rebalance'],
      ['node', 'drain', 'n2'],
      ['node', 'resume', 'n2'],
      ['schedule', 'add', ...one, '--at', 'yearly'],
      ['schedule', 'pause', ...one],
      ['schedule', 'remove', ...one],
    ]) {
      expect(await cluster.run([...args, '--quiet']), args.join(' ')).to.deep.equal({ code: 0, stdout: '', stderr: '' })
    }
    const { stdout, stderr } = await cluster.run(['snapshots', '-vv', '--quiet'])
    expect(stdout.split('\n')[0]).to.match(/^[0-9a-f]{8} /)
    expect(stderr)
      .to.match(/Manager\/ListSnapshots","status":"OK".*a call ended/)
      .and.to.include('manager 127.0.0.1:')
  })

  it('finds the manager by option, then variable, then config file', async () => {
    const xdg = join(folder, 'xdg')
    fs.mkdirSync(join(xdg, 'twofold'), { recursive: true })
    fs.writeFileSync(join(xdg, 'twofold', 'config.yaml'), `manager: ${cluster.managerAddress}\n`)
    const wrong = '127.0.0.1:1'
    const code = async (args: readonly string[], environment: Record<string, string>): Promise<number> =>
      (await cluster.run(['status', ...args], { environment: { XDG_CONFIG_HOME: xdg, ...environment } })).code
    expect(await code([], { TWOFOLD_MANAGER: '' })).to.equal(0)
    expect(await code([], { TWOFOLD_MANAGER: wrong })).to.equal(10)
    expect(await code(['--manager', cluster.managerAddress], { TWOFOLD_MANAGER: wrong })).to.equal(0)
    expect(await code(['--manager', `${wrong},${cluster.managerAddress}`], {})).to.equal(0)
  })

  it('runs from anywhere, also through a symbolic link', () => {
    const link = join(folder, 'tf')
    fs.symlinkSync(launcher, link)
    expect(execFileSync(link, ['--version'], { cwd: '/' }).toString()).to.match(/^twofold \d/)
  })

  it('stops quietly when nobody reads on', () => {
    const command = `TWOFOLD_MANAGER=${cluster.managerAddress} ${launcher} ls latest | head -c 1`
    expect(execFileSync('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] }).length).to.equal(1)
  })

  it('drains and stops on SIGTERM', async () => {
    expect(await cluster.end('n2')).to.equal(0)
    await cluster.startProcess('n2')
    await cluster.waitForNodes()
    expect(await cluster.end('manager')).to.equal(0)
    await cluster.startProcess('manager')
    await cluster.waitForNodes()
  })
})
