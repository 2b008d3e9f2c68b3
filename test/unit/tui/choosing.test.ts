import { expect } from 'chai'
import { keys } from '../../support/fake-tty.ts'
import type { FakeTty } from '../../support/fake-tty.ts'
import { createTuiFixture } from '../../support/tui-fixture.ts'
import type { TuiFixture } from '../../support/tui-fixture.ts'

describe('what is chosen in the full-screen client', () => {
  let fixture: TuiFixture
  beforeEach(async () => (fixture = await createTuiFixture()))
  afterEach(() => fixture.end())

  async function open(number: string): Promise<{ tty: FakeTty; over: Promise<void> }> {
    const opened = fixture.open()
    await opened.tty.sees('● connected')
    opened.tty.type(number)
    return opened
  }

  /** A backup of `/src` that hangs until `go`. */
  async function beginSlowBackup(): Promise<{ tty: FakeTty; over: Promise<void>; go: () => void }> {
    fixture.source.file('/src/one.txt', 'one')
    const { promise: late, resolve: go } = Promise.withResolvers<void>()
    fixture.cluster.faults.onSlice = () => late
    const { tty, over } = await open('1')
    await tty.sees('one.txt')
    tty.type('b')
    await tty.sees(/sending/)
    return { tty, over, go }
  }

  /** Neither a snapshot, nor a session, nor a draft of a pack. */
  async function expectNothingHalfDone(): Promise<void> {
    const { client, cluster } = fixture
    expect(await Array.fromAsync(client.snapshots())).to.deep.equal([])
    const abandoned = await Array.fromAsync(client.history({ kind: 'backup' }))
    expect(abandoned.map(({ result }) => result)).to.deep.equal(['abandoned'])
    expect((await cluster.files()).filter((path) => !path.endsWith('.pack'))).to.deep.equal([])
    cluster.faults = {}
    await client.backup({ source: fixture.source, paths: [Buffer.from('/src/one.txt')] })
    expect(await Array.fromAsync(client.snapshots())).to.have.length(1)
  }

  it('is found by a filter, may be several things, and has a size', async () => {
    for (const name of ['apple.txt', 'apricot.txt', 'banana.txt']) fixture.source.file(`/src/${name}`, name)
    fixture.source.file('/src/apples/many', 'x')
    const { tty } = await open('1')
    await tty.sees('banana.txt', 'apples/', /apple\.txt +9 B/)
    tty.type('/ap')
    await tty.sees('Filter: ap', 'apricot.txt')
    expect(tty.screen.text()).not.to.include('banana')
    tty.type(' .txt')
    tty.type(keys.enter)
    tty.type('a')
    await tty.sees('2 files of 20 B chosen')
    tty.type(keys.escape)
    await tty.sees('banana.txt', 'b back up 2')
    tty.type('b')
    await tty.sees('✓ snapshot')
    const [snapshot] = await Array.fromAsync(fixture.client.snapshots())
    const paths = snapshot?.manifest.paths.map((path) => Buffer.from(path).toString())
    expect(paths).to.have.members(['/src/apple.txt', '/src/apricot.txt'])
  })

  it('is saved without what ignore files leave out, as on the command line', async () => {
    fixture.source.file('/src/.twofoldignore', '*.tmp\n')
    fixture.source.file('/src/draft.tmp', 'x')
    const { tty } = await open('1')
    await tty.sees('draft.tmp')
    tty.type('b')
    await tty.sees('✓ snapshot', '1 new')
    expect(fixture.source.reads).to.not.include('/src/draft.tmp')
  })

  it('leaves nothing half done when its backup is stopped', async () => {
    const { tty, go } = await beginSlowBackup()
    tty.type('c')
    await tty.sees('Stop this backup?')
    // It may be over the next moment.
    const stopping = tty.shows('stopping: what is finished')
    tty.type('y')
    await stopping
    go()
    await tty.sees('Stopped. There is no snapshot')
    await expectNothingHalfDone()
  })

  it('leaves nothing half done when its terminal is closed meanwhile', async () => {
    const { tty, over, go } = await beginSlowBackup()
    const stopping = tty.shows('stopping …')
    tty.input.emit('end')
    await stopping
    go()
    await over
    await expectNothingHalfDone()
  })

  it('is compared between two snapshots, and restored from one that a filter finds', async () => {
    const { client, source, target } = fixture
    const paths = [Buffer.from('/src')]
    source.file('/src/one.txt', 'one')
    source.file('/src/two.txt', 'two')
    await client.backup({ source, paths, tags: ['monday'] })
    source.file('/src/two.txt', 'changed')
    source.file('/src/three.txt', 'three')
    await client.backup({ source, paths, tags: ['tuesday'] })
    const { tty } = await open('2')
    await tty.sees('monday', 'tuesday')
    tty.type('d')
    await tty.sees(/\+ +\S*three\.txt/, /M +\S*two\.txt/)
    tty.type(keys.escape)
    await tty.sees('m mark')
    tty.type('/monday')
    tty.type(keys.enter)
    await tty.sees('Filter: monday')
    expect(tty.screen.text()).not.to.include('tuesday')
    tty.type(keys.enter)
    await tty.sees('src/')
    tty.type(keys.enter)
    await tty.sees('[ ]  one.txt', '[ ]  two.txt')
    tty.type('  ')
    await tty.sees('r restore 2')
    tty.type('r')
    await tty.sees('To the folder:')
    tty.type(keys.enter)
    await tty.sees('Nothing that is there')
    tty.type('y')
    await tty.sees('✓ 2 files')
    expect(target.text('two.txt')).to.equal('two')
  })

  it('is called by its name in remarks, also when that is written from right to left', async () => {
    const { tty } = await open('3')
    await tty.sees('No file is stored yet')
    tty.type('uשלום')
    tty.type(`${keys.enter}`)
    await tty.sees('Its name in the vault')
    tty.type(keys.enter)
    await tty.sees('There is no /src/שלום: type another name.')
  })
})
