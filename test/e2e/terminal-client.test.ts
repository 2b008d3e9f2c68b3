import { expect } from 'chai'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { Cluster, launcher } from '../../bench/cluster.ts'
import { loadPtyCalls, PseudoTerminal } from '../../bench/terminal/pseudo-terminal.ts'
import { linesOf, stepsOf } from '../support/documented-commands.ts'

const calls = loadPtyCalls()

const lacking = calls === undefined ? ' (skipped: needs koffi)' : ''

describe(`the full-screen client on a pseudo-terminal${lacking}`, function () {
  let cluster: Cluster
  let folder: string
  const open: PseudoTerminal[] = []

  before(async function () {
    if (calls === undefined) return this.skip()
    cluster = await Cluster.start({ nodes: 2 })
    folder = join(cluster.directory, 'files')
    mkdirSync(folder)
    writeFileSync(join(folder, 'letter.txt'), 'dear reader\n')
  })

  afterEach(function () {
    const shown = open.splice(0)
    if (this.currentTest?.state === 'failed') for (const { screen } of shown) process.stderr.write(`${screen.text()}\n`)
    for (const terminal of shown) {
      terminal.child.kill('SIGKILL')
      terminal.close()
    }
  })

  after(() => cluster?.stop())

  function start(environment: NodeJS.ProcessEnv = {}, args: readonly string[] = ['--root', folder]): PseudoTerminal {
    return startCommand(launcher, args, environment)
  }

  function startCommand(file: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): PseudoTerminal {
    if (calls === undefined) throw new Error('skipped')
    const path = [dirname(launcher), process.env['PATH']].join(delimiter)
    const command = { file, args, environment: { ...cluster.environment, PATH: path, ...environment } }
    const terminal = new PseudoTerminal(calls, command)
    open.push(terminal)
    return terminal
  }

  const isRestored = ({ screen }: PseudoTerminal): boolean =>
    !screen.alternate && screen.cursorShown && !screen.pasteMarked && screen.wraps

  it('backs up and restores by keys, follows the window, and leaves it as it was', async () => {
    const terminal = start()
    await terminal.sees('● well', '2/2 nodes up')
    expect(terminal.screen.coloured).to.equal(true)
    terminal.type('1')
    await terminal.sees('[ ]  letter.txt')
    terminal.type('b')
    await terminal.sees('✓ snapshot', '2/2 fsynced copies', 'durable')
    terminal.resize(120, 40)
    await terminal.sees(/^ Enter another one {20,}.*q leave$/m)
    terminal.type('\r')
    await terminal.sees('Space choose')
    terminal.type('\x1b')
    await terminal.sees('2  Browse')
    terminal.type('2')
    await terminal.sees(/2\/2$/m)
    terminal.type('r')
    await terminal.sees('To the folder')
    terminal.type(`\x15${join(cluster.directory, 'back')}\r`)
    await terminal.sees('Nothing that is there')
    terminal.type('y')
    await terminal.sees('✓ 1 file')
    expect(readFileSync(join(cluster.directory, 'back', folder, 'letter.txt'), 'utf8')).to.equal('dear reader\n')
    terminal.type('q')
    expect(await terminal.ended).to.equal(0)
    expect(isRestored(terminal)).to.equal(true)
    expect(terminal.screen.unknown).to.deep.equal([])
  })

  it('uses no colour with NO_COLOR, and leaves the window as it was on Ctrl-C and SIGTERM', async () => {
    const [one, two] = [start({ NO_COLOR: '1' }), start()]
    await one.sees('● well')
    one.type('\x03')
    expect(await one.ended).to.equal(0)
    expect(one.screen.coloured).to.equal(false)
    await two.sees('● well')
    two.child.kill('SIGTERM')
    expect(await two.ended).to.equal(130)
    expect([isRestored(one), isRestored(two)]).to.deep.equal([true, true])
  })

  it('works the same where CI is set, as in a build', async () => {
    const terminal = start({ CI: 'true', CONTINUOUS_INTEGRATION: 'true' })
    await terminal.sees('● well')
    expect(terminal.screen.coloured).to.equal(true)
    terminal.type('q')
    expect(await terminal.ended).to.equal(0)
    expect(isRestored(terminal)).to.equal(true)
  })

  it('leaves the window as it was when it crashes, and says why', async () => {
    const crash = 'process.on("SIGUSR2",()=>{throw new Error("on purpose")})'
    const terminal = start({ NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(crash)}` })
    await terminal.sees('● well')
    terminal.child.kill('SIGUSR2')
    expect(await terminal.ended).to.equal(1)
    await terminal.sees('on purpose')
    expect(isRestored(terminal)).to.equal(true)
  })

  it('ends when its window is closed, and on SIGHUP', async () => {
    const [one, two] = [start(), start()]
    await Promise.all([one.sees('● well'), two.sees('● well')])
    one.close()
    two.child.kill('SIGHUP')
    expect(await one.ended).not.to.equal('SIGKILL')
    await two.ended
    expect(isRestored(two)).to.equal(true)
  })

  it('survives a storm of sizes and of garbage, and a manager that is away for a while', async () => {
    const terminal = start()
    await terminal.sees('● well')
    for (let at = 0; at < 100; at++) {
      terminal.resize(20 + ((at * 37) % 180), 5 + ((at * 17) % 55))
      if (at % 10 === 0) terminal.type(`\x1b[200~q1y\r\x1b[A\x03${'\x9b31m\u202egarbage\xff '.repeat(30)}\x1b[201~`)
    }
    terminal.resize(80, 24)
    await terminal.sees(/^> 1 +Back up/m, /q leave$/m)
    await cluster.kill('manager')
    await terminal.sees('unreachable, again', '2/2 nodes up')
    await cluster.startProcess('manager')
    await terminal.sees('● connected')
    terminal.type('6')
    await terminal.sees('There are no schedules yet')
    terminal.type('q')
    expect(await terminal.ended).to.equal(0)
    expect(terminal.screen.unknown).to.deep.equal([])
  })

  it('is opened by the commands of its document', async () => {
    // The manager may have been started just before, and a doctor finds fault with a node that is not up again.
    await cluster.waitForNodes()
    const steps = stepsOf('docs/terminal-client.md').flatMap(({ commands }) => linesOf(commands))
    const [doctor, ...others] = steps.toReversed()
    const opened = others.map((line) =>
      startCommand('sh', ['-c', line.replace('127.0.0.1:7400', cluster.managerAddress)]),
    )
    for (const terminal of opened) {
      await terminal.sees('● connected')
      terminal.type('q')
      expect(await terminal.ended).to.equal(0)
    }
    expect(doctor).to.equal('twofold doctor')
    const examined = startCommand('sh', ['-c', doctor ?? ''])
    expect(await examined.ended).to.equal(0)
    expect(opened).to.have.length(3)
  })
})
