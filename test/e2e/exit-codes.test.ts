import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, parseLines } from '../../bench/cluster.ts'
import type { CommandResult } from '../../bench/cluster.ts'
import { packFiles } from './running-backup.ts'
import { seededBytes } from './seeded-bytes.ts'

describe('how commands end', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-exit-codes-')))
    fs.chmodSync(folder, 0o755)
    source = join(folder, 'source')
    fs.mkdirSync(source)
    fs.writeFileSync(join(source, 'a'), seededBytes(1, 300_000))
    fs.writeFileSync(join(source, 'b'), 'b')
    cluster = await Cluster.start({ managerOptions: ['--suspect-after', '1s', '--dead-after', '2s'] })
    expect((await cluster.run(['backup', source])).code).to.equal(0)
  })
  after(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  /** It fails with this code and one line that says this; the same with `--json`, meanwhile or afterwards. */
  async function expectFailure(
    code: number,
    args: readonly string[],
    words: RegExp,
    { meanwhile = false } = {},
  ): Promise<void> {
    const first = cluster.run(args)
    if (!meanwhile) await first
    const [human, machine] = await Promise.all([first, cluster.run([...args, '--json'])])
    expect(human.code, `${args.join(' ')}: ${human.stderr}`).to.equal(code)
    const [line = '', ...rest] = human.stderr.trimEnd().split('\n').slice(-1)
    expect(line)
      .to.match(/^twofold: /)
      .and.to.match(words)
    expect(rest).to.deep.equal([])
    expect(machine.code).to.equal(code)
    const last = parseLines<{ message_type: string; code: number; message: string }>(machine.stderr).at(-1)
    expect(last).to.include({ message_type: 'exit_error', code })
    expect(last?.message).to.match(words)
  }

  it('1: wrong usage, an unwritable target', async () => {
    await expectFailure(1, ['restore', 'latest'], /--target/)
    await expectFailure(1, ['nodes', '--manager', 'nonsense'], /host:port/)
    fs.writeFileSync(join(folder, 'a file'), '')
    await expectFailure(1, ['restore', 'latest', '--target', join(folder, 'a file')], /--target/)
    await expectFailure(1, ['backup', source, '--exclude-file', '/nonexistent'], /cannot read the list/)
  })

  it('3: some source files could not be read', async () => {
    const missing = await cluster.run(['backup', source, join(folder, 'nonexistent')])
    expect(missing.code, missing.stderr).to.equal(3)
    expect(missing.stderr).to.include('nonexistent')
    const unreadable = await unreadableBackup()
    expect(unreadable.code, unreadable.stderr).to.equal(3)
    expect(unreadable.stderr).to.match(/secret: permission denied/)
    const { stdout } = await cluster.run(['ls', 'latest', '--path', join(folder, 'partly')])
    expect(stdout).to.include('partly/readable').and.not.to.include('partly/secret')
  })

  /** As another user where this one may read everything. */
  function unreadableBackup(): Promise<CommandResult> {
    const partly = join(folder, 'partly')
    fs.mkdirSync(partly)
    fs.writeFileSync(join(partly, 'readable'), 'x')
    fs.writeFileSync(join(partly, 'secret'), 'x')
    fs.chmodSync(join(partly, 'secret'), 0)
    return cluster.run(['backup', partly], process.getuid?.() === 0 ? { uid: 65_534 } : {})
  }

  it('10: no such cluster, snapshot, path or file', async () => {
    await expectFailure(10, ['restore', '0123abcd', '--target', join(folder, 'x')], /there is no snapshot "0123abcd"/)
    await expectFailure(10, ['dump', 'latest', '/nowhere'], /there is no \/nowhere/)
    await expectFailure(10, ['get', 'nothing'], /nothing/)
    const address = '127.0.0.1:1'
    await expectFailure(10, ['snapshots', '--manager', address], /cannot reach the manager at 127\.0\.0\.1:1/)
  })

  it('13: refused: a data directory that is in use, a name that is taken, a foreign directory', async () => {
    const manager = ['manager', '--listen', '127.0.0.1:0', '--data', cluster.dataDirectory('manager')]
    await expectFailure(13, manager, /another process is using/)
    const node = ['node', '--listen', '127.0.0.1:0']
    await expectFailure(13, [...node, '--name', 'n1', '--data', join(folder, 'impostor')], /n1/)
    await expectFailure(13, [...node, '--name', 'n9', '--data', source], /./)
    expect(fs.readdirSync(source)).to.deep.equal(['a', 'b'])
  })

  it('1: an address that others could reach, until there is TLS', async () => {
    await expectFailure(1, ['manager', '--listen', '0.0.0.0:0', '--data', join(folder, 'open')], /TLS.*--insecure/)
  })

  it('14 when not enough nodes are left; 15 when a snapshot has fewer copies than wanted', async () => {
    const [lost = '', ...others] = cluster.nodeNames
    await Promise.all(others.map((name) => cluster.end(name)))
    await Promise.all(others.map((name) => cluster.waitForState(name, 'dead')))
    fs.writeFileSync(join(source, 'new'), seededBytes(9, 100_000))
    // It waits for nodes for a while before it gives up.
    await expectFailure(14, ['backup', source], /not enough nodes/, { meanwhile: true })
    fs.rmSync(join(source, 'new'))
    expect(
      (await cluster.run(['restore', 'latest', '--path', source, '--dry-run', '--target', folder])).code,
    ).to.be.oneOf([0, 10])
    expect(lost).to.equal('n1')
    await Promise.all(others.map((name) => cluster.startProcess(name)))
    await cluster.waitForNodes()
  })

  it('16: no good copy is left', async () => {
    for (const name of cluster.nodeNames) packFiles(cluster, name).forEach(flipBytes)
    const { code, stderr } = await cluster.run([
      'restore',
      'latest',
      '--path',
      source,
      '--target',
      join(folder, 'damaged'),
    ])
    expect(code, stderr).to.equal(16)
  })
})

/** Damages every record of a pack, but not what it says about itself. */
function flipBytes(file: string): void {
  const bytes = fs.readFileSync(file)
  for (let at = 200; at < bytes.length - 1000; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0xff
  fs.writeFileSync(file, bytes)
}
