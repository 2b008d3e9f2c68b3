import { expect } from 'chai'
import { createExcludes } from '../../../../src/client/excludes.ts'
import type { ExcludeOptions } from '../../../../src/client/excludes.ts'
import { createBackupFixture } from '../../../support/backup-fixture.ts'
import type { BackupFixture } from '../../../support/backup-fixture.ts'

describe('what a backup leaves out', () => {
  let fixture: BackupFixture
  beforeEach(async () => {
    fixture = await createBackupFixture()
  })

  /** The paths below `/src` that are saved. */
  async function saved(options: Partial<ExcludeOptions>): Promise<string[]> {
    const excludes = createExcludes({ patterns: [], ...options })
    const summary = await fixture.backup({ excludes })
    const paths = [...(await fixture.entries(summary)).keys()]
    return paths.filter((path) => path.startsWith('/src/')).map((path) => path.slice(5))
  }

  it('is what ignore files say, each for its own folder and those below, the nearest first', async () => {
    const { source } = fixture
    source.file('/src/.twofoldignore', '# not these\n*.tmp\n/build/\n!kept.tmp\n')
    for (const path of ['a.tmp', 'kept.tmp', 'b', 'build/x', 'deep/build/x', 'deep/c.tmp', 'deep/d.log', 'e.log']) {
      source.file(`/src/${path}`, 'x')
    }
    source.file('/src/deep/.twofoldignore', '*.log\n!c.tmp\n')
    const with_ = ['.twofoldignore', 'b', 'deep', 'deep/.twofoldignore', 'deep/build', 'deep/build/x', 'deep/c.tmp']
    expect(await saved({ ignoreFiles: true })).to.have.members([...with_, 'e.log', 'kept.tmp'])
    expect(await saved({}))
      .to.include('a.tmp')
      .and.include('deep/d.log')
  })

  it('is the same after nothing has changed, and the new rules after they have', async () => {
    const { source } = fixture
    source.file('/src/a.tmp', 'x')
    source.file('/src/b', 'x')
    expect(await saved({ ignoreFiles: true })).to.deep.equal(['a.tmp', 'b'])
    source.file('/src/.twofoldignore', '*.tmp')
    expect(await saved({ ignoreFiles: true })).to.deep.equal(['.twofoldignore', 'b'])
    expect(await saved({ ignoreFiles: true })).to.deep.equal(['.twofoldignore', 'b'])
  })

  it('is what lies beside a marker, if it begins as it should', async () => {
    const { source } = fixture
    source.file('/src/one/.nobackup', '')
    source.file('/src/one/data', 'x')
    source.file('/src/two/.nobackup', 'really')
    source.file('/src/two/data', 'x')
    const any = await saved({ markers: [{ name: '.nobackup', header: '' }] })
    expect(any).to.deep.equal(['one', 'one/.nobackup', 'two', 'two/.nobackup'])
    const some = await saved({ markers: [{ name: '.nobackup', header: 'really' }] })
    expect(some).to.deep.equal(['one', 'one/.nobackup', 'one/data', 'two', 'two/.nobackup'])
  })

  it('is what is too large, and what matches whatever its case', async () => {
    const { source } = fixture
    source.file('/src/small', '12345')
    source.file('/src/large', '123456')
    source.file('/src/Photo.JPG', 'x')
    expect(await saved({ largerThan: 5 })).to.deep.equal(['Photo.JPG', 'small'])
    expect(await saved({ ignoreCasePatterns: ['*.jpg'] })).to.deep.equal(['large', 'small'])
    expect(await saved({ patterns: ['*.jpg'] })).to.include('Photo.JPG')
  })
})

describe('a backup of what has not changed', () => {
  const skipIfUnchanged = true

  it('makes no snapshot and stores nothing, whatever happens beside it', async () => {
    const { source, backup, cluster } = await createBackupFixture()
    source.file('/src/deep/file', 'x')
    const first = await backup({ skipIfUnchanged })
    expect(first.snapshot).not.to.equal(undefined)
    const packs = cluster.packs.size
    source.node('/').mtimeNs += 5n
    const second = await backup({ skipIfUnchanged })
    expect(second).to.include({ snapshot: undefined, unchanged: true, parent: first.snapshot?.id })
    expect(cluster.packs.size).to.equal(packs)
  })

  it('makes one when content, metadata, a name or the set of files has changed', async () => {
    const { source, backup } = await createBackupFixture()
    source.file('/src/deep/file', 'x')
    source.file('/src/gone', 'x')
    await backup({ skipIfUnchanged })
    const changes: (() => void)[] = [
      () => void (source.node('/src/deep/file').mode = 0o600),
      () => void source.file('/src/deep/file', 'y'),
      () => void source.file('/src/deep/more', ''),
      () => source.remove('/src/gone'),
      () => void (source.node('/src').mtimeNs += 1n),
    ]
    for (const change of changes) {
      change()
      expect((await backup({ skipIfUnchanged })).unchanged, String(change)).to.equal(false)
      expect((await backup({ skipIfUnchanged })).unchanged, String(change)).to.equal(true)
    }
  })

  it('makes one when nobody asked to leave it out', async () => {
    const { source, backup } = await createBackupFixture()
    source.file('/src/file', 'x')
    await backup()
    expect((await backup()).snapshot).not.to.equal(undefined)
  })
})

describe('reading several files at once', () => {
  it('saves the same', async () => {
    const { source, random, backup, entries } = await createBackupFixture()
    for (let number = 0; number < 100; number++) source.file(`/src/d/f${number}`, random.bytes(number * 700))
    source.file('/src/large', random.bytes(5_500_000))
    const one = await backup({ force: true })
    const many = await backup({ force: true, readConcurrency: 8 })
    expect(many.problems).to.equal(0)
    expect(many.snapshot?.manifest.tree).to.deep.equal(one.snapshot?.manifest.tree)
    expect((await entries(many)).get('/src/d/f99')?.content.length).to.equal(69_300)
  })

  it('reports what cannot be read where it comes to it', async () => {
    const { source, backup, eventsOf } = await createBackupFixture()
    for (const name of ['a', 'b', 'c']) source.file(`/src/${name}`, 'x')
    source.node('/src/b').unreadable = true
    const summary = await backup({ readConcurrency: 4 })
    expect(summary.problems).to.equal(1)
    expect(eventsOf('problem').map(({ path }) => path)).to.deep.equal(['/src/b'])
  })
})
