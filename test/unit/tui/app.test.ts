import { expect } from 'chai'
import { TwofoldError } from '../../../src/core/errors.ts'
import { keys } from '../../support/fake-tty.ts'
import type { FakeTty } from '../../support/fake-tty.ts'
import { createTuiFixture } from '../../support/tui-fixture.ts'
import type { TuiFixture } from '../../support/tui-fixture.ts'

const deadAfterMs = 10 * 60_000

describe('the full-screen client', () => {
  let fixture: TuiFixture
  beforeEach(async () => (fixture = await createTuiFixture()))
  afterEach(() => fixture.end())

  /** Backs up `/src` by hand. */
  async function backUp(tty: FakeTty): Promise<void> {
    tty.type('1')
    await tty.sees('/src', 'Name')
    tty.type('a')
    await tty.sees('chosen')
    tty.type('b')
    await tty.sees('✓ snapshot')
    tty.type(`${keys.enter}`)
    await tty.sees('Space choose')
  }

  it('says how the cluster is, its keys, and leaves the terminal as it was', async () => {
    const { tty, over } = fixture.open()
    const text = await tty.sees('● well', '3/3 nodes up', '● connected', 'backup.test:7400')
    expect(text).to.include('q leave')
    const { screen, input } = tty
    expect([screen.alternate, screen.cursorShown, screen.pasteMarked, screen.wraps]).to.deep.equal([
      true,
      false,
      true,
      false,
    ])
    expect(input.raw).to.equal(true)
    tty.type('?')
    await tty.sees('close the help', 'A number opens')
    tty.type('xq')
    await over
    expect([screen.alternate, screen.cursorShown, screen.pasteMarked, screen.wraps]).to.deep.equal([
      false,
      true,
      false,
      true,
    ])
    expect(input.raw).to.equal(false)
    expect(screen.unknown).to.deep.equal([])
  })

  it('does without a manager, and comes back by itself', async () => {
    let away = true
    fixture.cluster.faults.before = () => {
      if (away) throw new TwofoldError('unavailable', 'cannot reach the manager at backup.test:7400')
    }
    const { tty } = fixture.open()
    await tty.sees('unreachable, again', 'cannot reach the manager')
    tty.type('5')
    await tty.sees('Cluster', 'Nothing is known yet')
    away = false
    await tty.sees('● connected', 'n1', 'n3')
  })

  it('shows a spinner while an answer is late, and takes keys meanwhile', async () => {
    const { promise: late, resolve: answer } = Promise.withResolvers<void>()
    fixture.cluster.faults.before = () => late
    const { tty } = fixture.open()
    await tty.sees('connecting …', 'asking the manager')
    tty.type('1')
    await tty.sees('Back up', 'Space choose')
    answer()
    await tty.sees('● connected')
  })

  it('backs up what is chosen and shows where each pack goes', async () => {
    fixture.source.file('/src/one.txt', 'one')
    fixture.source.file('/src/folder/two.txt', 'two')
    const { tty } = fixture.open()
    await tty.sees('● connected')
    tty.type('1')
    await tty.sees('folder/', 'one.txt')
    tty.type('nnothing')
    tty.type(keys.enter)
    await tty.sees('There is no /src/nothing: type another name.')
    tty.type('\x15folder/two.txt')
    tty.type(keys.enter)
    await tty.sees('1 file of 3 B chosen')
    tty.type('b')
    const text = await tty.sees('✓ snapshot', '2/2 fsynced copies', '1 new', /n\d +→ +n\d +durable/)
    expect(text).to.include('Backup of /src/folder/two.txt')
    const [snapshot] = await Array.fromAsync(fixture.client.snapshots())
    expect(snapshot?.manifest.paths.map((path) => Buffer.from(path).toString())).to.deep.equal(['/src/folder/two.txt'])
  })

  it('makes no snapshot of a backup that is stopped', async () => {
    fixture.source.file('/src/one.txt', 'one')
    const { promise: late, resolve: go } = Promise.withResolvers<void>()
    fixture.cluster.faults.onSlice = () => late
    const { client } = fixture
    const backup = client.backup.bind(client)
    let asked: AbortSignal | undefined
    client.backup = (request, options) => {
      asked = options?.signal
      return backup(request, options)
    }
    const { tty } = fixture.open()
    await tty.sees('● connected')
    tty.type('1')
    await tty.sees('one.txt')
    tty.type('b')
    await tty.sees(/sending/)
    tty.type('q')
    await tty.sees('Stop and leave?')
    tty.type(keys.escape)
    await tty.sees('c stop it')
    tty.type('c')
    await tty.sees('Stop this backup?')
    // Who reads that it is being stopped may rely on it: what finishes from then on makes no snapshot.
    const stopping = tty.shows('stopping: what is finished')
    tty.type('y')
    await stopping
    expect(asked?.aborted).to.equal(true)
    go()
    await tty.sees('Stopped. There is no snapshot')
    expect(await Array.fromAsync(fixture.client.snapshots())).to.deep.equal([])
  })

  it('shows copies turn when a node dies', async () => {
    fixture.source.file('/src/one.txt', 'one')
    const { tty } = fixture.open({ columns: 120, rows: 30 })
    await tty.sees('● connected')
    await backUp(tty)
    tty.type(keys.escape)
    await tty.sees('5  Cluster')
    tty.type('5')
    const before = await tty.sees('2/2', /n1 .*n2|n2 .*n3|n1 .*n3/)
    const holder = /\b(n\d) n\d\b/.exec(before)?.[1] ?? ''
    fixture.cluster.kill(holder)
    fixture.clock.advance(deadAfterMs)
    await tty.sees(new RegExp(`${holder} +(suspect|dead)`))
    fixture.clock.advance(deadAfterMs)
    await tty.sees(new RegExp(`${holder} +dead`), /1\/2|2\/2/)
    tty.type(keys.tab)
    await tty.sees(new RegExp(`node ${holder}: .* → dead`))
  })

  it('drains a node only after it was asked, and resumes it', async () => {
    const { tty } = fixture.open()
    await tty.sees('● connected')
    tty.type('5')
    await tty.sees('> n1')
    tty.type(`${keys.down}d`)
    await tty.sees('Drain n2?')
    tty.type('n')
    await tty.sees('d drain it')
    expect((await fixture.client.nodes()).map(({ state }) => state)).to.deep.equal(['up', 'up', 'up'])
    tty.type('d')
    await tty.sees('Drain n2?')
    tty.type('y')
    await tty.sees(/n2 +drain(ing|ed)/, 'r resume it')
    tty.type('r')
    await tty.sees('Use n2 again?')
    tty.type('y')
    await tty.sees(/n2 +up/)
  })

  it('browses snapshots, shows text, and asks before it replaces a file', async () => {
    fixture.source.file('/src/one.txt', 'the first line\nthe second\x1b[31m line\n')
    const { tty } = fixture.open()
    await tty.sees('● connected')
    await backUp(tty)
    tty.type(`${keys.escape}`)
    await tty.sees('2  Browse')
    tty.type('2')
    await tty.sees('machine', '/src/one.txt')
    tty.type(keys.enter)
    await tty.sees('[ ]  one.txt')
    tty.type('v')
    await tty.sees('the first line', 'the second\\x1b[31m line', '(end)')
    tty.type(keys.escape)
    await tty.sees('r restore')
    for (const wanted of ['Nothing that is there', 'there already']) {
      tty.type('r')
      await tty.sees('To the folder:')
      tty.type(keys.enter)
      await tty.sees(wanted)
      tty.type(wanted === 'there already' ? 'o' : 'y')
      await tty.sees('✓ 1 file')
      expect(fixture.target.text('one.txt')).to.match(/^the first/)
      tty.type(keys.enter)
      await tty.sees('r restore')
    }
    expect(tty.screen.unknown).to.deep.equal([])
  })

  it('stores, deletes and brings back single files', async () => {
    fixture.source.file('/src/report.txt', 'version one')
    const { tty } = fixture.open()
    await tty.sees('● connected')
    tty.type('3')
    await tty.sees('No file is stored yet')
    tty.type('umissing')
    tty.type(`${keys.enter}${keys.enter}`)
    await tty.sees('There is no /src/missing')
    tty.type('\x15report.txt')
    tty.type(keys.enter)
    await tty.sees('Its name in the vault: report.txt')
    tty.type(keys.enter)
    await tty.sees('report.txt: version 1 is stored', /report\.txt +1 +11 B/)
    tty.type('x')
    await tty.sees('Delete report.txt?')
    tty.type('y')
    await tty.sees(/report\.txt +2 +deleted/)
    tty.type('z')
    await tty.sees(/report\.txt +3 +11 B/, 'version 1 is back')
    tty.type(keys.enter)
    await tty.sees('Versions of report.txt', 'deleted')
    tty.type('s')
    await tty.sees('Write version 3')
    tty.type('\x15copy.txt')
    tty.type(keys.enter)
    await tty.sees('is written to /src/copy.txt')
    expect(fixture.saved.get('/src/copy.txt')).to.equal('version one')
  })

  it('shows what was done, and the details of it', async () => {
    const { tty } = fixture.open()
    await tty.sees('● connected')
    tty.type('4')
    await tty.sees('register', 'Number')
    tty.type('/n2')
    tty.type(keys.enter)
    await tty.sees('Filter: n2')
    tty.type(keys.enter)
    await tty.sees('Result', 'ok', 'When')
  })

  it('examines everything and writes to every node', async () => {
    const { tty } = fixture.open({ columns: 120, rows: 40 })
    await tty.sees('● connected')
    tty.type('7')
    await tty.sees(
      '✓ connection',
      '✓ clock',
      '✓ room',
      'n1 wrote a pack',
      'n2 wrote a pack',
      'n3 wrote a pack',
      /Everything works|to look at/,
    )
  })

  it('survives a storm of sizes and garbage that is pasted', async () => {
    const { tty } = fixture.open()
    await tty.sees('● connected')
    for (let at = 0; at < 200; at++) tty.resize(1 + ((at * 37) % 200), 1 + ((at * 17) % 60))
    tty.resize(30, 8)
    await tty.sees('Make the window')
    tty.resize(80, 24)
    await tty.sees('1  Back up', 'q leave')
    // Small for a moment, and told of only afterwards: what was shown is lost.
    tty.screen.resize(20, 5)
    tty.resize(80, 24)
    await tty.sees('everything that was done', 'q leave')
    // What is pasted is no key: neither does it leave, nor open anything.
    tty.type(`\x1b[200~q1y\r\x1b[A\0${'\x1b]0;title\x07'}\x1b[201~`)
    tty.type(`q${'\u202e\x9b31mgarbage '.repeat(50)}`)
    await tty.sees('1  Back up', 'q leave')
    expect(tty.screen.unknown).to.deep.equal([])
  })

  it('shows no name raw, and keeps one that is written from right to left in its place', async () => {
    fixture.source.file(Buffer.from('/src/a\x1b[2J\x07\n\x9b31mb'), 'x')
    fixture.source.file('/src/שלום.txt', 'x')
    fixture.source.file(Buffer.from([0x2f, 0x73, 0x72, 0x63, 0x2f, 0xff, 0x41]), 'x')
    const { tty } = fixture.open()
    await tty.sees('● connected')
    tty.type('1')
    await tty.sees('a\\x1b[2J\\x07\\n', '\\xffA', '\u2068שלום.txt\u2069')
    expect(tty.screen.unknown).to.deep.equal([])
  })

  it('ends when its terminal does', async () => {
    const { tty, over } = fixture.open()
    await tty.sees('● connected')
    tty.input.emit('end')
    await over
  })
})
