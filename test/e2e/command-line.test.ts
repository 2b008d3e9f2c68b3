import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, launcher, parseLines } from '../../bench/cluster.ts'

describe('the command line', function () {
  this.timeout(120_000)
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

  it('speaks JSON on every command, a value on every line', async () => {
    const put = await cluster.json(['put', join(source, 'a'), 'greeting'])
    expect(put).to.have.length(1)
    const commands = [
      ['backup', source, '--verbose'],
      ['backup', source, '--dry-run'],
      ['snapshots'],
      ['snapshots', '--packs'],
      ['ls', 'latest'],
      ['find', 'a'],
      ['diff', 'latest', 'latest'],
      ['stats'],
      ['stats', 'latest', '--packs'],
      ['restore', 'latest', '--target', join(folder, 'restored')],
      ['nodes'],
      ['status'],
      ['history'],
      ['files', 'ls'],
      ['files', 'history', 'greeting'],
      ['get', 'greeting', join(folder, 'greeting')],
      ['files', 'rm', 'greeting'],
    ]
    for (const command of commands) {
      const result = await cluster.run([...command, '--json'])
      expect(result.code, `${command.join(' ')}: ${result.stderr}`).to.equal(0)
      expect(parseLines(result.stdout), command.join(' ')).not.to.deep.equal([])
    }
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
