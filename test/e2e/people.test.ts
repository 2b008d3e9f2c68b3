import { expect } from 'chai'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, launcher, parseLines } from '../../bench/cluster.ts'
import { completionShells } from '../../src/cli/completion-scripts.ts'
import { JsonDocument } from './json-document.ts'
import { seededBytes } from './seeded-bytes.ts'
import { ShellCompletion } from './shell-completion.ts'

type Line = Record<string, unknown>

describe('the command line for people', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-people-')))
    source = join(folder, 'source')
    fs.mkdirSync(source)
    fs.writeFileSync(join(source, 'a'), 'a')
    fs.writeFileSync(join(source, 'large'), seededBytes(5, 3_000_000))
    fs.symlinkSync('a', join(source, 'link'))
    cluster = await Cluster.start({ nodes: 2 })
  })
  after(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  async function lines(args: readonly string[], code = 0): Promise<Line[]> {
    return cluster.json<Line>(args, code)
  }

  const document = new JsonDocument(join(import.meta.dirname, '../../docs/json.md'))

  /** Each line against the sections of its command and kind. */
  async function compare(command: string, args: readonly string[], code = 0): Promise<void> {
    const found = await lines(args, code)
    expect(found, args.join(' ')).not.to.deep.equal([])
    for (const line of found) {
      const kind = `${command}: ${String(line['message_type'])}`
      const title = document.titles.includes(kind) ? kind : command
      expect(document.differences(line, title), args.join(' ')).to.deep.equal([])
    }
  }

  async function compareList(args: readonly string[], ...titles: string[]): Promise<void> {
    const [list] = (await lines(args)) as unknown as [Line[]]
    expect(list, args.join(' ')).not.to.deep.equal([])
    for (const line of list) expect(document.differences(line, ...titles), args.join(' ')).to.deep.equal([])
  }

  it('prints with --json what docs/json.md says', async () => {
    await compare('backup', ['backup', source, '-v', '-v', '--tag', 'first'])
    await compare('backup', ['backup', source, '--skip-if-unchanged'])
    await compare('backup', ['backup', source, '--dry-run'])
    await compareList(['snapshots', '--packs'], 'snapshot')
    for (const line of await lines(['ls', 'latest'])) {
      const isSnapshot = line['message_type'] === 'snapshot'
      const titles = isSnapshot ? ['ls: snapshot', 'snapshot'] : ['ls: node', 'entry']
      expect(document.differences(line, ...titles)).to.deep.equal([])
    }
    await compareList(['find', 'a'], 'find')
    await compare('stats', ['stats', 'latest', '--packs'])
    await compare('restore', ['restore', 'latest', '--target', join(folder, 'restored'), '-v'])
    await compareList(['nodes'], 'node')
    await compare('status', ['status', '--fail-on', 'no-backup:1ms'], 17)
    for (const args of [
      ['put', join(source, 'a'), 'one'],
      ['get', 'one', join(folder, 'one')],
      ['files', 'rm', 'one'],
    ]) {
      for (const line of await lines(args)) expect(document.differences(line, 'put', 'fileVersion')).to.deep.equal([])
    }
    await compareList(['files', 'history', 'one'], 'fileVersion')
    await compareList(['history'], 'history')
    await compare('events', ['events'])
    await compare('tag', ['tag', 'latest', '--add', 'second'])
    await compare('pin', ['pin', 'latest'])
    await compare('pin', ['unpin', 'latest'])
    fs.writeFileSync(join(source, 'b'), 'b')
    await compare('backup', ['backup', source])
    const [newest] = (await lines(['snapshots', 'latest'])) as unknown as [[{ id: string }]]
    await compare('diff', [
      'diff',
      'latest',
      ((await lines(['snapshots'])) as unknown as { id: string }[][])[0]?.[0]?.id ?? '',
    ])
    await compareList(['forget', '--keep-last', '1', '--dry-run'], 'forget')
    await compare('forget', ['forget', newest[0].id])
    await compare('undelete', ['undelete', newest[0].id])
    await compare('prune', ['prune', '--dry-run'])
    await compare('check', ['check'])
    await compare('rebalance', ['rebalance', '--dry-run'])
    await compare('node drain', ['node', 'remove', 'n1', '--dry-run'])
    const failed = await cluster.run(['ls', 'ffffffff', '--json'])
    expect(document.differences(parseLines<Line>(failed.stderr)[0], 'stderr: exit_error')).to.deep.equal([])
  })

  it('makes no snapshot when nothing has changed, unless it is asked to', async () => {
    const count = async (): Promise<number> => ((await lines(['snapshots'])) as unknown as Line[][])[0]?.length ?? 0
    await cluster.run(['backup', source])
    const before = await count()
    const skipped = await cluster.run(['backup', source, '--skip-if-unchanged'])
    expect(skipped.code, skipped.stderr).to.equal(0)
    expect(skipped.stdout).to.include('nothing has changed')
    expect(await count()).to.equal(before)
    fs.writeFileSync(join(source, 'c'), 'c')
    await cluster.run(['backup', source, '--skip-if-unchanged'])
    expect(await count()).to.equal(before + 1)
  })

  it('gives snapshots tags, and chooses by them', async () => {
    await cluster.run(['tag', 'latest', '--add', 'keep,good'])
    const tagged = (await lines(['snapshots', '--tag', 'keep,good'])) as unknown as [{ tags: string[]; id: string }[]]
    expect(tagged[0]).to.have.length(1)
    await cluster.run(['tag', tagged[0][0]?.id ?? '', '--set', ''])
    expect(((await lines(['snapshots', '--tag', 'keep'])) as unknown as Line[][])[0]).to.deep.equal([])
  })

  it('restores in place by moving what differs, and deletes what is too much', async () => {
    const target = join(folder, 'in-place')
    await cluster.run(['restore', `latest:${source}`, '--target', target])
    const file = fs.openSync(join(target, 'large'), 'r+')
    fs.writeSync(file, Buffer.from('something else'), 0, 14, 1_500_000)
    fs.closeSync(file)
    fs.mkdirSync(join(target, 'more/below'), { recursive: true })
    fs.writeFileSync(join(target, 'more/below/x'), 'x')
    const dry = await cluster.run(['restore', `latest:${source}`, '--target', target, '--delete', '--dry-run'])
    expect(dry.stdout).to.include('would be deleted')
    expect(fs.existsSync(join(target, 'more/below/x'))).to.equal(true)
    const summary = (await lines(['restore', `latest:${source}`, '--target', target, '--delete'])).at(-1)
    expect(summary).to.include({ deleted: 3, problems: 0 })
    expect(summary?.['bytes_moved']).to.be.lessThan(3_000_000)
    expect(summary?.['bytes_reused']).to.be.greaterThan(0)
    expect(fs.readFileSync(join(target, 'large')).equals(seededBytes(5, 3_000_000))).to.equal(true)
    expect(fs.readdirSync(target).sort()).to.deep.equal(fs.readdirSync(source).sort())
  })

  // A machine may not have all of them, and nothing else needs them.
  for (const shell of completionShells.filter((name) => ShellCompletion.isInstalled(name))) {
    it(`completes commands, options and what the cluster knows, in a real ${shell}`, async () => {
      const completion = new ShellCompletion(shell, join(folder, `bin-${shell}`))
      const complete = (line: string, environment = cluster.environment): string[] => completion.of(line, environment)
      expect(complete('twofold sna')).to.deep.equal(['snapshots'])
      expect(complete('twofold snapshots --ho')).to.deep.equal(['--host'])
      expect(complete('twofold node dr')).to.deep.equal(['drain'])
      expect(complete('twofold node drain n')).to.deep.equal(['n1', 'n2'])
      expect(complete('twofold restore latest --overwrite if-')).to.deep.equal(['if-changed', 'if-newer'])
      const [[snapshot]] = (await lines(['snapshots'])) as unknown as [[{ short_id: string; hostname: string }]]
      expect(complete('twofold ls ')).to.include(snapshot.short_id).and.to.include('latest')
      expect(complete('twofold ls --host ')).to.deep.equal([snapshot.hostname])
      const nobody = { ...cluster.environment, TWOFOLD_MANAGER: '127.0.0.1:1' }
      expect(complete('twofold node drain n', nobody)).to.deep.equal([])
    })

    it(`completes schedules, what they save, and agents, in a real ${shell}`, async () => {
      const completion = new ShellCompletion(shell, join(folder, `bin-${shell}`))
      const complete = (line: string): string[] => completion.of(line, cluster.environment)
      const paths = ['/srv/site', '/srv/my site', '/srv/\u001b[31mred']
      for (const path of paths) {
        const add = ['schedule', 'add', '--agent', `on-${shell}`, '--path', path, '--at', 'yearly']
        expect((await cluster.run(add)).code).to.equal(0)
      }
      const [list] = (await lines(['schedule', 'list', '--agent', `on-${shell}`])) as unknown as [Line[]]
      const id = String(list[0]?.['schedule_id']).slice(0, 8)
      const wanted = [`on-${shell}:/srv/my site`, `on-${shell}:/srv/site`]
      expect(complete(`twofold schedule show on-${shell}:/srv/`)).to.deep.equal(wanted)
      expect(complete(`twofold schedule run ${id.slice(0, 6)}`)).to.deep.equal([id])
      expect(complete(`twofold schedule list --agent on-${shell}`)).to.deep.equal([`on-${shell}`])
      expect(complete(`twofold fetch --agent on-${shell} --path /srv/s`)).to.deep.equal(['/srv/site'])
      expect(complete(`twofold agent remove on-${shell}`)).to.deep.equal([`on-${shell}`])
    })
  }

  it('says how far it is when it is asked by a signal', async () => {
    const child = spawn(launcher, ['backup', '--stdin', '--json'], { env: cluster.environment, stdio: 'pipe' })
    const ended = once(child, 'exit')
    let errors = ''
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
    let begun = false
    child.stdout.once('data', () => (begun = true))
    while (!begun) {
      child.stdin.write(seededBytes(3, 100_000))
      await sleep(100)
    }
    child.kill('SIGUSR1')
    while (!errors.includes('\n')) await once(child.stderr, 'data')
    expect(parseLines<Line>(errors)[0]).to.include({ message_type: 'status' }).and.to.include.keys('bytes_done')
    child.stdin.end()
    expect(await ended).to.deep.equal([0, null])
  })

  it('shows what happened, and follows it', async () => {
    const { stdout } = await cluster.run(['events', '--limit', '3', '--times', 'relative'])
    expect(stdout.trimEnd().split('\n')).to.have.length(3)
    expect(stdout).to.match(/ago|just now/)
    const following = cluster.spawn(['events', '--follow', '--limit', '1'])
    let said = ''
    following.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
    await once(following.stdout, 'data')
    following.kill('SIGINT')
    // That is how it ends, and no failure to tell of.
    expect([await once(following, 'exit'), said]).to.deep.equal([[130, null], ''])
  })

  // It is the last: nothing is left of the cluster.
  it('stops the whole cluster in order, once somebody agrees', async () => {
    const refused = await cluster.run(['shutdown'])
    expect(refused.code).to.equal(13)
    expect(refused.stderr).to.include('--yes')
    const { code, stdout, stderr } = await cluster.run(['shutdown', '--yes'])
    expect(code, stderr).to.equal(0)
    expect(stdout).to.include('n1, n2')
    expect(await Promise.all(['n1', 'n2', 'manager'].map((name) => cluster.untilEnded(name)))).to.deep.equal([0, 0, 0])
  })
})
