import { expect } from 'chai'
import { TwofoldError } from '../../../../src/core/errors.ts'
import { expectError } from '../../../support/expect-error.ts'
import { RestoreBench } from '../../../support/restore-bench.ts'
import { MemoryTarget } from '../../../support/memory-target.ts'

describe('restore', () => {
  let bench: RestoreBench
  let target: MemoryTarget
  beforeEach(async () => {
    bench = await RestoreBench.start()
    target = new MemoryTarget()
  })

  it('brings back every kind of entry with its metadata', async () => {
    const { source } = bench
    const big = bench.content(9_000_000)
    source.file('/home/user/big', big)
    source.file('/home/user/empty', '')
    source.file('/home/user/note', 'hello')
    source.symlink('/home/user/link', 'dangling/way')
    source.directory('/home/user/nothing').mode = 0o1700
    source.link('/home/user/note', '/home/user/twin')
    source.node('/home/user/note').mode = 0o4711
    const summary = await bench.backup('/home/user').then(() => bench.restore(target))
    expect(bench.problems()).to.deep.equal([])
    expect(summary).to.include({ filesRestored: 4, directories: 3, symlinks: 1, hardLinks: 1, problems: 0, damaged: 0 })
    expect(summary.bytesRestored).to.equal(9_000_010)
    expect(target.at('home/user/big')?.content.equals(big)).to.equal(true)
    expect(target.text('home/user/empty')).to.equal('')
    expect(target.at('home/user/twin')).to.equal(target.at('home/user/note'))
    expect(target.at('home/user/link')?.target.toString()).to.equal('dangling/way')
    for (const path of ['home', 'home/user', 'home/user/note', 'home/user/link', 'home/user/nothing']) {
      const { mode, uid, gid, mtimeNs } = source.node(`/${path}`)
      expect(target.at(path), path).to.include({ mode, uid, gid, mtimeNs })
    }
    expect(target).to.include({ unfinished: 0, closed: true })
  })

  it('reads each pack once, not each file', async () => {
    for (let index = 0; index < 3000; index++) bench.source.file(`/d${index % 50}/f${index}`, `content ${index}`)
    await bench.backup()
    bench.cluster.trace.length = 0
    const summary = await bench.restore(target)
    expect(summary.filesRestored).to.equal(3000)
    expect(target.text('d7/f2507')).to.equal('content 2507')
    expect(bench.cluster.count('read')).to.be.below(10)
    expect(bench.cluster.count('locateChunks')).to.be.below(10)
  })

  it('takes the other copy when one is damaged, and says where', async () => {
    const content = bench.content(3_000_000)
    bench.source.file('/file', content)
    await bench.backup()
    const damaged = bench.cluster.records('data')[1]
    const [holder] = bench.cluster.holders(damaged!)
    await bench.cluster.damage(damaged!, holder!, 500)
    const summary = await bench.restore(target)
    expect(summary).to.include({ filesRestored: 1, problems: 0, damaged: 0, copiesReported: 1 })
    expect(bench.cluster.count('reportBadCopy'), 'once for each copy').to.equal(1)
    expect(target.at('file')?.content.equals(content)).to.equal(true)
    expect([...holder!.store.quarantined()], 'only its node can know').to.deep.equal([])
    await bench.cluster.beatAll()
    expect([...holder!.store.quarantined()]).to.have.length(1)
    const notes = bench.events.filter((event) => event.type === 'note').map((event) => event.message)
    expect(notes).to.have.length(1)
    expect(notes[0]).to.match(/is damaged on n\d/)
  })

  it('reports a file without a good copy, restores the rest and leaves no part of it', async () => {
    bench.source.file('/good', bench.content(100_000))
    bench.source.file('/bad', bench.content(2_500_000))
    await bench.backup()
    const victim = bench.cluster.records('data')[1]!
    for (const holder of bench.cluster.holders(victim)) await bench.cluster.damage(victim, holder, 400)
    const summary = await bench.restore(target)
    expect(summary).to.include({ filesRestored: 1, problems: 1, damaged: 1 })
    const [[path, message]] = bench.problems() as [[string, string]]
    const missing = path === '/good' ? 'good' : 'bad'
    expect(target.at(missing)).to.equal(undefined)
    expect(message).to.match(
      /no good copy of chunk [0-9a-f]{8} of pack [0-9a-f]{8} is left \(n\d: .*; n\d: .*\)|n\d: .*\)/,
    )
    expect(target.unfinished).to.equal(0)
  })

  it('reports a directory whose tree is lost and restores the others', async () => {
    bench.source.file('/a/file', 'in a')
    bench.source.file('/b/file', 'in b')
    await bench.backup()
    // The trees are written bottom-up: those of a and b before the root's.
    const tree = bench.cluster.records('tree')[0]!
    for (const holder of bench.cluster.holders(tree)) await bench.cluster.damage(tree, holder, 130)
    const summary = await bench.restore(target)
    expect(summary).to.include({ filesRestored: 1, damaged: 1 })
    expect(bench.problems().map(([path]) => path)).to.have.length(1)
  })

  it('does not call damaged what is only out of reach', async () => {
    bench.source.file('/good', bench.content(100_000))
    bench.source.file('/away', bench.content(2_500_000))
    await bench.backup()
    // The trees come first; from then on everybody is away.
    let reads = 0
    bench.cluster.faults.onRead = () => {
      if (++reads > 1) throw new TwofoldError('unavailable', 'connection refused')
    }
    const summary = await bench.restore(target)
    expect(summary).to.include({ filesRestored: 0, problems: 2, damaged: 0, unreachable: 2 })
    expect(bench.problems()[0]?.[1]).to.match(/cannot be reached now/)
  })

  it('goes on with the other copies when a node dies in the middle', async () => {
    const content = bench.content(40_000_000)
    bench.source.file('/file', content)
    await bench.backup()
    let reads = 0
    bench.cluster.faults.onRead = (node) => {
      if (++reads === 3) bench.cluster.kill(node.name)
    }
    const summary = await bench.restore(target)
    expect(summary).to.include({ filesRestored: 1, problems: 0 })
    expect(target.at('file')?.content.equals(content)).to.equal(true)
  })

  it('turns to the other copy when one is late', async () => {
    bench.source.file('/file', 'content')
    await bench.backup()
    const slow = bench.cluster.nodes[0]!.name
    bench.cluster.faults.onRead = (node) => (node.name === slow ? bench.clock.sleep(3_600_000) : undefined)
    const started = bench.clock.monotonicMs()
    await bench.restore(target)
    expect(target.text('file')).to.equal('content')
    expect(bench.clock.monotonicMs() - started).to.be.below(60_000)
  })

  it('survives a manager that is away for a while', async () => {
    bench.source.file('/file', 'content')
    await bench.backup()
    let refusals = 5
    bench.cluster.faults.before = (call) => {
      if (call === 'locateChunks' && refusals-- > 0) throw new TwofoldError('unavailable', 'restarting')
    }
    await bench.restore(target)
    expect(target.text('file')).to.equal('content')
  })

  it('stops at once and leaves nothing unfinished when it is cancelled', async () => {
    for (let index = 0; index < 20; index++) bench.source.file(`/f${index}`, bench.content(1_000_000))
    await bench.backup()
    const controller = new AbortController()
    target.onChange = (call) => {
      if (call === 'commit') controller.abort(new TwofoldError('cancelled', 'enough'))
    }
    const restoring = bench.client.restore({ reference: 'latest', target }, { signal: controller.signal })
    await expectError(restoring, 'cancelled')
    expect(target).to.include({ unfinished: 0, closed: true })
    for (const [path, entry] of target.entries) {
      if (entry.type === 'file')
        expect(entry.content.equals(bench.source.node(`/${path}`).content), path).to.equal(true)
    }
  })

  it('ends with one error when the disk is full, and leaves no part of a file', async () => {
    bench.source.file('/a', bench.content(3_000_000))
    bench.source.file('/b', bench.content(3_000_000))
    await bench.backup()
    target.roomBytes = 4_000_000
    const error = await expectError(bench.restore(target), 'no-room')
    expect(error.message).to.contain('no space is left')
    expect(target.unfinished).to.equal(0)
    for (const entry of target.entries.values())
      if (entry.type === 'file') expect(entry.content.length).to.equal(3_000_000)
  })

  it('says at once when the target cannot be written to', async () => {
    bench.source.file('/a', 'content')
    await bench.backup()
    bench.cluster.trace.length = 0
    target.onChange = () => {
      throw new TwofoldError('io', 'cannot write to the target')
    }
    expect((await expectError(bench.restore(target), 'io')).message).to.equal('cannot write to the target')
    expect(bench.cluster.count('read')).to.equal(0)
  })

  it('reports what it cannot write and restores the rest', async () => {
    for (const path of ['/a/one', '/b/two', '/three']) bench.source.file(path, path)
    bench.source.symlink('/link', 'x')
    await bench.backup()
    target.onChange = (call, path) => {
      if (path === 'a' || path === 'three' || path === 'link') throw new TwofoldError('io', `no ${call}`)
    }
    const summary = await bench.restore(target)
    expect(summary).to.include({ filesRestored: 1, problems: 3, damaged: 0 })
    expect(target.text('b/two')).to.equal('/b/two')
    expect(
      bench
        .problems()
        .map(([path]) => path)
        .sort(),
    ).to.deep.equal(['/a', '/link', '/three'])
  })

  it('restores a copy where a hard link cannot be made, and says so', async () => {
    bench.source.file('/a', 'content')
    bench.source.link('/a', '/b')
    await bench.backup()
    target.onChange = (call) => {
      if (call === 'makeLink') throw new TwofoldError('io', 'not here')
    }
    const summary = await bench.restore(target)
    expect(summary).to.include({ filesRestored: 2, problems: 1 })
    expect(target.text('b')).to.equal('content')
  })

  it('restores a subfolder directly into the target', async () => {
    bench.source.file('/srv/user/docs/deep/file', 'content')
    bench.source.file('/srv/user/other', 'other')
    await bench.backup('/srv')
    await bench.restore(target, { reference: 'latest:/srv/user/docs' })
    expect([...target.entries.keys()].sort()).to.deep.equal(['', 'deep', 'deep/file'])
    await expectError(bench.restore(target, { reference: 'latest:/srv/user/other' }), 'invalid-argument')
    await expectError(bench.restore(target, { reference: 'latest:/nowhere' }), 'not-found')
    await expectError(bench.restore(target, { reference: 'beefbeef' }), 'not-found')
  })

  it('chooses by patterns, with the directories that are on the way', async () => {
    for (const path of ['/a/b/keep.txt', '/a/b/drop.log', '/a/c/keep.txt', '/d/keep.log']) bench.source.file(path, path)
    await bench.backup()
    await bench.restore(target, { includes: ['*.txt'], excludes: ['/a/c'] })
    expect([...target.entries.keys()].sort()).to.deep.equal(['', 'a', 'a/b', 'a/b/keep.txt'])
    const second = new MemoryTarget()
    await bench.restore(second, { includes: ['/A/B/**'], ignoreCase: true })
    expect([...second.entries.keys()].sort()).to.deep.equal(['', 'a', 'a/b', 'a/b/drop.log', 'a/b/keep.txt'])
    await expectError(bench.restore(target, { includes: [''] }), 'invalid-argument')
  })

  it('writes nothing in a dry run, but says what it would do', async () => {
    bench.source.file('/a/file', 'content')
    bench.source.symlink('/a/link', 'x')
    await bench.backup()
    target.onChange = (call) => expect.fail(`${call} in a dry run`)
    const summary = await bench.restore(target, { dryRun: true })
    expect(summary).to.include({ filesRestored: 1, directories: 1, symlinks: 1, totalBytes: 7 })
    expect(target.entries.size).to.equal(0)
  })

  describe('of a file that is there already', () => {
    const restoreOver = async (mode: 'always' | 'if-changed' | 'if-newer' | 'never'): Promise<string[]> => {
      target = new MemoryTarget()
      await bench.restore(target)
      const set = (path: string, content: string, ageNs: bigint): void => {
        const entry = target.at(path)!
        entry.content = Buffer.from(content)
        entry.mtimeNs += ageNs
      }
      set('same', 'SAME', 0n)
      set('older', 'OLDER', -1_000_000_000n)
      set('newer', 'NEWER', 1_000_000_000n)
      await bench.restore(target, { overwrite: mode })
      return ['same', 'older', 'newer'].filter((path) => target.text(path) === path)
    }
    beforeEach(async () => {
      for (const name of ['same', 'older', 'newer']) bench.source.file(`/${name}`, name)
      await bench.backup()
    })
    it('always', async () => expect(await restoreOver('always')).to.deep.equal(['same', 'older', 'newer']))
    it('if changed', async () => expect(await restoreOver('if-changed')).to.deep.equal(['older', 'newer']))
    it('if newer', async () => expect(await restoreOver('if-newer')).to.deep.equal(['older']))
    it('never', async () => expect(await restoreOver('never')).to.deep.equal([]))
  })

  it('does nothing to files that are restored already when told so, hard links included', async () => {
    bench.source.file('/a', 'content')
    bench.source.link('/a', '/b')
    await bench.backup()
    await bench.restore(target)
    target.entries.delete('b')
    const summary = await bench.restore(target, { overwrite: 'if-changed' })
    expect(summary).to.include({ filesRestored: 1, filesSkipped: 1, hardLinks: 1 })
    expect(target.at('b')).to.equal(target.at('a'))
  })

  it('verifies what it wrote', async () => {
    bench.source.file('/a', bench.content(2_000_000))
    bench.source.file('/b', bench.content(1000))
    await bench.backup()
    expect(await bench.restore(target, { verify: true })).to.include({ filesVerified: 2, problems: 0 })
    target = new MemoryTarget()
    const finished = target.setDirectoryMetadata.bind(target)
    bench.source.directory('/d')
    await bench.backup()
    target.setDirectoryMetadata = async (...args) => {
      target.at('a')!.content[1_500_000]! ^= 1
      await finished(...args)
    }
    const summary = await bench.restore(target, { verify: true })
    expect(summary).to.include({ filesVerified: 1, problems: 1, damaged: 1 })
    expect(bench.problems().at(-1)).to.deep.equal(['/a', bench.problems().at(-1)?.[1]])
    expect(bench.problems().at(-1)?.[1]).to.contain('reads back differently')
  })
})
