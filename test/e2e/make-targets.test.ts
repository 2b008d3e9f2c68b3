import { expect } from 'chai'
import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { launcher } from '../../bench/cluster.ts'
import { freePorts } from '../../bench/free-ports.ts'

const project = dirname(dirname(launcher))

describe('the targets of make', () => {
  let folder: string
  let first: { DATA: string; PORT: string }
  let second: { DATA: string; PORT: string }

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-make-')))
    const port = await freePorts(6)
    first = { DATA: join(folder, 'first'), PORT: String(port) }
    second = { DATA: join(folder, 'second'), PORT: String(port + 3) }
    fs.writeFileSync(join(folder, 'file'), 'content')
  })
  after(() => {
    make(first, 'down')
    make(second, 'down')
    execFileSync('rm', ['-rf', folder])
  })

  function make(cluster: { DATA: string; PORT: string }, ...args: string[]): { code: number; output: string } {
    const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('TWOFOLD_'))
    const { status, stdout, stderr } = spawnSync('make', args, {
      cwd: project,
      env: { ...Object.fromEntries(environment), ...cluster, NODES: '2' },
      encoding: 'utf8',
    })
    return { code: status ?? -1, output: stdout + stderr }
  }

  it('runs several clusters side by side', () => {
    for (const cluster of [first, second]) {
      const { code, output } = make(cluster, 'up')
      expect(code, output).to.equal(0)
    }
    const pids = ['manager', 'n1', 'n2'].map((name) => fs.readFileSync(join(first.DATA, 'pids', `${name}.pid`), 'utf8'))
    expect(new Set(pids).size).to.equal(3)
    expect(make(first, 'backup', `SRC=${join(folder, 'file')}`).code).to.equal(0)
    expect(make(first, 'status').output).to.match(/Snapshots: +1,/)
    expect(make(second, 'status').output).to.match(/Snapshots: +0,/)
  })

  it('leaves a running cluster alone, and brings back one node that died', () => {
    const pidFile = join(first.DATA, 'pids', 'n1.pid')
    const before = fs.readFileSync(pidFile, 'utf8')
    expect(make(first, 'up').code).to.equal(0)
    expect(fs.readFileSync(pidFile, 'utf8')).to.equal(before)
    process.kill(Number(before), 'SIGKILL')
    expect(make(first, 'up').code).to.equal(0)
    expect(fs.readFileSync(pidFile, 'utf8')).not.to.equal(before)
  })

  it('finds the data again after down and up', () => {
    const pids = fs
      .readdirSync(join(first.DATA, 'pids'))
      .map((name) => fs.readFileSync(join(first.DATA, 'pids', name), 'utf8'))
    expect(make(first, 'down').code).to.equal(0)
    for (const pid of pids) expect(isRunning(pid.trim())).to.equal(false)
    expect(fs.readdirSync(join(first.DATA, 'pids'))).to.deep.equal([])
    expect(make(first, 'up').code).to.equal(0)
    const { code, output } = make(first, 'restore', `TARGET=${join(folder, 'restored')}`)
    expect(code, output).to.equal(0)
    expect(fs.readFileSync(join(folder, 'restored', folder, 'file'), 'utf8')).to.equal('content')
  })

  /** Runs a target that works, and returns what it prints. */
  function made(...args: string[]): string {
    const { code, output } = make(first, ...args)
    expect(code, output).to.equal(0)
    return output
  }

  function twofold(...args: string[]): string {
    return execFileSync(launcher, args, {
      env: { ...process.env, TWOFOLD_MANAGER: `127.0.0.1:${first.PORT}` },
      encoding: 'utf8',
    })
  }

  it('registers a machine, saves its newest backup to a file, and unregisters it', () => {
    const path = join(folder, "it's a site 1")
    fs.mkdirSync(path)
    fs.writeFileSync(join(path, 'index.html'), 'hello')
    expect(made('new-client', 'NODE=web1', `ALLOW=${folder}`)).to.include('web1 backs up')
    const machine = ['NODE=web1', `NODE_PATH=${path}`]
    expect(made('admin-register-node', ...machine, 'FREQ=1h')).to.include('Added.')
    twofold('schedule', 'run', `web1:${path}`, '--wait')
    const archive = join(folder, "it's a site.tgz")
    made('admin-query-node', ...machine, `SAVE_TO_FILE=${archive}`)
    const args = ['-xzOf', archive, "it's a site 1/index.html"]
    expect(execFileSync('tar', args, { encoding: 'utf8' })).to.equal('hello')
    expect(made('admin-unregister-node', ...machine)).to.include('its backups stay')
    for (const target of ['agent', 'new-client', 'admin-register-node', 'admin-unregister-node', 'admin-query-node']) {
      const { code, output } = make(first, target)
      expect(code, target).to.equal(2)
      expect(output).to.match(/^(say|name) .*NODE=web1/)
    }
    const refused = make(first, 'new-client', 'NODE=no name', `ALLOW=${folder}`)
    expect(refused.code).to.equal(2)
    expect(refused.output).to.include('is no name for an agent')
  })

  it('has eight agents and ten writers, and ends them', () => {
    expect(made('init-nodes').match(/Added\./g)).to.have.length(8)
    made('init-content-creators')
    made('new-content-creator', 'NODE=client3')
    const pids = fs.readdirSync(join(first.DATA, 'pids'))
    expect(pids.filter((name) => name.startsWith('creator-'))).to.have.length(11)
    expect(pids.filter((name) => name.startsWith('agent-client'))).to.have.length(8)
    twofold('schedule', 'run', `client3:${join(first.DATA, 'clients', 'client3')}`, '--wait')
    const files = twofold('ls', 'latest', '--host', 'client3')
    expect(files).to.include('work-3.log').and.to.include('work.log')
    made('kill-content-creators')
    expect(fs.readdirSync(join(first.DATA, 'pids')).filter((name) => name.startsWith('creator-'))).to.deep.equal([])
  })
})

/** A process that has ended but that nobody asked about yet has no command line any more. */
function isRunning(pid: string): boolean {
  return fs.existsSync(`/proc/${pid}`) && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
}
