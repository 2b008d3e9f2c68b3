import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster } from '../../bench/cluster.ts'
import { TreeComparison } from '../../bench/compare-trees.ts'
import { makeNastyTree, makeUnsaved } from './nasty-tree.ts'

interface Summary {
  readonly message_type: string
  readonly snapshot_id: string
  readonly files_new: number
  readonly files_changed: number
  readonly files_unmodified: number
  readonly data_added: number
  readonly durability: { copies: number; copies_wanted: number; nodes: string[] }
}

describe('a folder on two machines, and back', function () {
  let folder: string
  let source: string
  let cluster: Cluster

  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-round-trip-')))
    source = join(folder, 'source')
    makeNastyTree(source)
    cluster = await Cluster.start()
  })
  after(async () => {
    await cluster.stop()
    execFileSync('rm', ['-rf', folder])
  })

  async function backup(...args: string[]): Promise<Summary> {
    const lines = await cluster.json<Summary>(['backup', ...args])
    const summary = lines.find(({ message_type }) => message_type === 'summary')
    if (summary === undefined) throw new Error('there was no summary')
    return summary
  }

  function restoredTree(target: string): string {
    return join(folder, target, source)
  }

  it('saves everything with two fsynced copies', async () => {
    const summary = await backup(source, '--tag', 'first')
    expect(summary.durability).to.include({ copies: 2, copies_wanted: 2 })
    expect(summary.files_new).to.be.greaterThan(3000)
    const unchanged = await backup(source)
    expect(unchanged).to.include({ files_new: 0, files_changed: 0, data_added: 0 })
    expect(unchanged.files_unmodified).to.equal(summary.files_new)
  })

  it('brings everything back as it was, also without one of the nodes', async () => {
    await cluster.kill('n1')
    const { code, stderr } = await cluster.run(['restore', 'latest', '--target', join(folder, 'all'), '--verify'])
    expect(code, stderr).to.equal(0)
    const { differences, files } = TreeComparison.compare(source, restoredTree('all'))
    expect(differences).to.deep.equal([])
    expect(files).to.be.greaterThan(3000)
    const hole = fs.statSync(join(restoredTree('all'), 'sparse', 'over 4 GiB'))
    expect(hole.blocks * 512).to.be.lessThan(10 * 1024 ** 2)
    await cluster.startProcess('n1')
    await cluster.waitForNodes()
  })

  it('restores a subfolder, and only what was asked for', async () => {
    const target = join(folder, 'part')
    const reference = `latest:${source}/contents`
    expect((await cluster.run(['restore', reference, '--target', target, '--include', 'text'])).code).to.equal(0)
    expect(fs.readdirSync(target)).to.deep.equal(['text'])
    fs.writeFileSync(join(target, 'text'), 'mine')
    const again = ['restore', reference, '--target', target, '--exclude', 'random']
    expect((await cluster.run([...again, '--overwrite', 'never'])).code).to.equal(0)
    expect(fs.readFileSync(join(target, 'text'), 'utf8')).to.equal('mine')
    expect(fs.readdirSync(target)).to.have.members(['text', 'empty', 'one byte', 'the same random'])
    expect((await cluster.run([...again, '--dry-run'])).code).to.equal(0)
    expect(fs.readFileSync(join(target, 'text'), 'utf8')).to.equal('mine')
  })

  it('sees what changed', async () => {
    fs.appendFileSync(join(source, 'contents', 'text'), 'one more line\n')
    fs.rmSync(join(source, 'shapes', 'wide', '7'))
    fs.writeFileSync(join(source, 'shapes', 'wide', 'new'), 'new')
    fs.chmodSync(join(source, 'shapes', 'wide', '8'), 0o600)
    const summary = await backup(source, '--host', 'another', '--parent', 'latest')
    expect(summary).to.include({ files_new: 1 })
    const [older, newer] = await cluster.json<{ id: string }[]>(['snapshots']).then(([all = []]) => all.slice(-2))
    const changes = await cluster.json<{ path: string; modifier: string }>(['diff', older?.id ?? '', newer?.id ?? ''])
    const byPath = Object.fromEntries(changes.map(({ path, modifier }) => [path?.slice(source.length), modifier]))
    expect(byPath).to.include({
      '/contents/text': 'M',
      '/shapes/wide/7': '-',
      '/shapes/wide/new': '+',
      '/shapes/wide/8': 'U',
    })
    expect(summary.data_added).to.be.lessThan(3_000_000)
  })

  it('lists, finds, dumps and counts', async () => {
    const listed = await cluster.json<{ path?: string; type?: string }>(['ls', 'latest', join(source, 'links')])
    expect(listed.find(({ path }) => path === join(source, 'links', 'dangling'))).to.include({ type: 'symlink' })
    const found = await cluster.run(['find', 'hole*'])
    expect(found.stdout).to.include(join(source, 'sparse', 'holes between'))
    const names = await cluster.run(['ls', 'latest', join(source, 'names')])
    expect(names.stdout).to.include('new\\nline').and.to.include('\\x1b[31m').and.to.include('\\xff\\xfeA')

    expect(names.stdout).not.to.match(/[\u0000-\u0009\u000b-\u001f]/)
    const dumped = await cluster.run(['dump', 'latest', join(source, 'contents', 'one byte')])
    expect(dumped.stdout).to.equal('x')
    const [stats] = await cluster.json(['stats', 'latest'])
    expect(stats).to.include({ snapshots_count: 1 })
  })

  it('dumps a folder as an archive that tar understands', async () => {
    const archive = join(folder, 'links.tar')
    const child = cluster.spawn(['dump', 'latest', join(source, 'links')])
    const file = fs.createWriteStream(archive)
    child.stdout.pipe(file)
    await once(file, 'close')
    const target = join(folder, 'untarred')
    fs.mkdirSync(target)
    execFileSync('tar', ['-xpf', archive, '-C', target])
    const copy = join(target, source, 'links')
    expect(fs.readFileSync(join(copy, 'first name'), 'utf8')).to.equal('one file with three names')
    expect(fs.statSync(join(copy, 'first name')).nlink).to.equal(3)
    expect(fs.readlinkSync(join(copy, 'dangling'))).to.equal('nowhere/at/all')
  })

  it('leaves out what it is told to, and reads lists and stdin', async () => {
    const list = join(folder, 'list')
    fs.writeFileSync(list, `# a comment\n${source}/contents\n\n${source}/links\n`)
    fs.mkdirSync(join(source, 'cache'))
    fs.writeFileSync(join(source, 'cache', 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n')
    fs.writeFileSync(join(source, 'cache', 'big'), 'not wanted')
    const options = ['--exclude-caches', '--exclude', 'random', '--tag', 'chosen']
    await backup(join(source, 'cache'), '--files-from', list, ...options)
    const { stdout } = await cluster.run(['ls', 'latest', '--tag', 'chosen'])
    const names = stdout.split('\n').map((line) => line.slice(source.length))
    expect(names).to.include('/cache/CACHEDIR.TAG').and.to.include('/contents/text').and.to.include('/links/dangling')
    expect(names).not.to.include('/cache/big')
    expect(names).not.to.include('/contents/random')

    const stdin = await cluster.run(['backup', '--stdin', '--stdin-filename', 'notes.txt'], { stdin: 'from stdin' })
    expect(stdin.code, stdin.stderr).to.equal(0)
    const dumped = await cluster.run(['dump', 'latest', '/notes.txt', '--path', '/notes.txt'])
    expect(dumped.stdout, dumped.stderr).to.equal('from stdin')
  })

  it('skips what is no file with a note, and that is no failure', async () => {
    const unsaved = join(folder, 'unsaved')
    fs.mkdirSync(unsaved)
    makeUnsaved(unsaved)
    const { code, stderr } = await cluster.run(['backup', unsaved])
    expect(code).to.equal(0)
    expect(stderr).to.include('a pipe')
  })

  it('writes nothing on a dry run', async () => {
    // All but when it was last proven: nodes go on doing that.
    const snapshots = async (): Promise<object[]> => {
      const [listed = []] = await cluster.json<{ durability: object }[]>(['snapshots'])
      return listed.map(({ durability, ...rest }) => ({ ...rest, durability: { ...durability, proven_at: undefined } }))
    }
    const before = await snapshots()
    expect(before).not.to.deep.equal([])
    const { code, stdout } = await cluster.run(['backup', source, '--dry-run', '--force'])
    expect(code).to.equal(0)
    expect(stdout).to.include('nothing was saved')
    expect(await snapshots()).to.deep.equal(before)
  })
})
