import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runProgram } from '../../src/cli/program.ts'
import type { Client } from '../../src/client/index.ts'
import { textWidth } from '../../src/core/text-width.ts'
import { noSizes } from '../../src/core/schedules.ts'
import { WireCluster } from '../support/wire-cluster.ts'
import { captureTerminal, surroundingsOf } from '../unit/cli/fake-cli.ts'

/** What a terminal may take for more than text; lines end, and isolated text is what we make. */
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e]/

const evil = '\u001b[31mred\u001b[2J\r\u0007\t\u009b5mC1\u202egnp.exe\nnext line'
const hebrew = '\u05e9\u05dc\u05d5\u05dd'

describe('names with control characters, and from right to left', function () {
  this.timeout(30_000)
  let cluster: WireCluster
  let client: Client
  let source: string

  before(async () => {
    cluster = await WireCluster.start({ nodes: ['n1', 'n2'] })
    client = cluster.client()
    source = join(cluster.directory, `source ${evil} ${hebrew}`)
    mkdirSync(join(source, evil), { recursive: true })
    for (const name of [evil, hebrew, `${evil}x`]) writeFileSync(join(source, evil, name), name)
    symlinkSync(evil, join(source, 'link'))
    writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0x9b, 0x33, 0xff])]), 'no UTF-8')
  })
  after(() => cluster.stop())

  /** Runs it for somebody who watches, or for a program. @returns what was printed */
  async function run(args: readonly string[], json = false): Promise<{ code: number; said: string }> {
    const { terminal, out, err } = captureTerminal({ columns: 200 })
    const watched = { ...terminal, columns: () => 200 }
    const words = [...args, '--manager', cluster.managerAddress, ...(json ? ['--json'] : [])]
    const code = await runProgram(words, surroundingsOf(watched, { TERM: 'xterm', TWOFOLD_LOG: 'silent' }))
    return { code, said: out() + err() }
  }

  /** As text and as JSON: nothing of it does anything to a terminal. */
  async function expectSafe(args: readonly string[], code: number, shown = 'red'): Promise<void> {
    for (const json of [false, true]) {
      const result = await run(args, json)
      const title = JSON.stringify(args)
      expect(result.code, `${title} ${result.said}`).to.equal(code)
      expect(result.said, title).to.contain(shown)
      expect(unsafe.exec(result.said)?.[0], `${title} ${JSON.stringify(result.said)}`).to.equal(undefined)
    }
  }

  it('never get to the terminal raw, by whatever command', async () => {
    const tags = ['--tag', evil.replaceAll('\n', '')]
    await expectSafe(['backup', source, ...tags, '--host', `${evil} ${hebrew}`, '-v', '-v'], 0)
    writeFileSync(join(source, evil, `${evil}x`), 'changed')
    await expectSafe(['backup', source, '--host', evil], 0, '')
    const ids = (await Array.fromAsync(client.snapshots())).map(({ shortId }) => shortId)
    const [from = '', to = ''] = [ids[0], ids.at(-1)]
    await expectSafe(['snapshots'], 0)
    await expectSafe(['snapshots', '--packs'], 0)
    await expectSafe(['ls', 'latest', '--recursive', '--long'], 0)
    await expectSafe(['find', '*red*'], 0)
    await expectSafe(['diff', from, to], 0)
    await expectSafe(['history'], 0)
    await expectSafe(['events'], 0)
    await expectSafe(['stats', 'latest'], 0, '')
    await expectSafe(['tag', from, '--add', evil.replaceAll('\n', '')], 0, '')
    await expectSafe(['pin', from, '--reason', evil], 0, '')
    await expectSafe(['forget', from], 13)
    await expectSafe(['forget', '--keep-last', '1', '--group-by', 'host', '--dry-run'], 0)
    await expectSafe(['check'], 0, '')
    await expectSafe(['status'], 0, '')
  })

  it('are escaped in what is said of files and restores', async () => {
    const target = join(cluster.directory, `target ${evil}`)
    await expectSafe(['restore', 'latest', '--target', target, '-v', '-v'], 0)
    // What stands in the way is named, and is one thing for each of which something failed.
    chmodSync(join(source, evil, evil), 0o600)
    await expectSafe(['restore', 'latest', '--target', join(source, evil, evil)], 1)
    await expectSafe(['restore', `latest:/${evil}`, '--target', join(target, 'x')], 10)
    await expectSafe(['ls', evil], 10)
    await expectSafe(['dump', 'latest', `/${evil}`], 10)
    const file = join(source, evil, evil)
    const name = `${hebrew}-\u202e-red`
    await expectSafe(['put', file, name], 0)
    await expectSafe(['files', 'list'], 0)
    await expectSafe(['files', 'history', name], 0)
    await expectSafe(['get', name, `${target}.got`], 0, '')
    await expectSafe(['backup', join(source, `missing ${evil}`)], 10)
    await expectSafe([evil], 1)
    await expectSafe(['snapshots', `--${evil}`], 1)
  })

  it('are escaped in what is said of schedules and agents', async () => {
    const path = `/srv/${evil} ${hebrew}`
    const about = { allow: [Buffer.from(`/${evil}`)], hooks: ['dump'], runsMax: 2, hostName: evil }
    const who = { name: 'web1', instanceId: 'a'.repeat(32) }
    const request = { ...who, ...about, timeMs: 0, programVersion: evil }
    const { registrationNumber } = await client.agents.registerAgent(request)
    const add = [
      'schedule',
      'add',
      '--agent',
      'web1',
      '--path',
      path,
      '--every',
      '1h',
      '--tag',
      evil,
      '--exclude',
      evil,
    ]
    expect((await run(add)).code).to.equal(0)
    const ref = { ...who, registrationNumber }
    const poll = { ...ref, timeMs: 0, running: [], leaving: false }
    await client.schedules.run(`web1:${path}`)
    let start: { number: number; attempt: number }[] = []
    while (start.length === 0) start = [...(await client.agents.poll(poll)).start]
    const [{ number, attempt } = { number: 0, attempt: 0 }] = start
    const failed = { state: 'failed', snapshotId: '', sizes: noSizes, filesUnreadable: 0, durationMs: 1 } as const
    await client.agents.reportRun({ ...ref, ...failed, number, attempt, message: `the hook said ${evil}` })
    await expectSafe(['schedule', 'list'], 0)
    await expectSafe(['schedule', 'show', `web1:${path}`], 0)
    await expectSafe(['schedule', 'runs'], 0)
    await expectSafe(['agents'], 0)
    await expectSafe(['status'], 0)
    await expectSafe(['status', '--fail-on', 'failing'], 17)
    await expectSafe(['history'], 0)
    await expectSafe(['schedule', 'show', `web1:${evil}`], 1)
    await expectSafe(['fetch', '--agent', 'web1', '--path', path, '-o', `${evil}.tgz`], 10)
    await expectSafe(['agent', 'remove', evil], 1)
  })

  it('stay in their columns where somebody watches, and in his window', async () => {
    const path = `/srv/${hebrew.repeat(20)}/${hebrew}`
    const { terminal, out } = captureTerminal({ interactive: true, columns: 79 })
    const run = (...words: string[]): Promise<number> =>
      runProgram([...words, '--manager', cluster.managerAddress], surroundingsOf(terminal))
    expect(await run('schedule', 'add', '--agent', 'web1', '--path', path, '--at', 'mon..fri 02:30')).to.equal(0)
    for (const words of [['files', 'list'], ['schedule', 'list'], ['schedule', 'runs'], ['agents']]) {
      const before = out().length
      expect(await run(...words)).to.equal(0)
      const lines = out().slice(before).split('\n')
      // Below the table are problems in words, as long as they are.
      const rows = lines.slice(
        0,
        lines.findIndex((line) => /^[0-9a-f]{8}: /.test(line)),
      )
      for (const row of rows) expect(textWidth(row), row).to.be.at.most(79)
    }
    expect(out()).to.match(new RegExp(`\u2068${hebrew}-[^\u2069]*\u2069`))
    expect(out()).to.match(new RegExp(`\u2068…[${hebrew}]*/${hebrew} *\u2069`))
  })
})
