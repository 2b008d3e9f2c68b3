import { expect } from 'chai'
import { keys } from '../../support/fake-tty.ts'
import type { FakeTty } from '../../support/fake-tty.ts'
import { createTuiFixture } from '../../support/tui-fixture.ts'
import type { TuiFixture } from '../../support/tui-fixture.ts'
import { lineText, lineWidth } from '../../../src/tui/lines.ts'
import { healthLines } from '../../../src/tui/health.ts'
import { reduce } from '../../../src/tui/reduce.ts'
import { initialState } from '../../../src/tui/state.ts'
import { windowLines } from '../../../src/tui/window-view.ts'

const dayMs = 24 * 60 * 60_000
const deadAfterMs = 10 * 60_000

describe('what the full-screen client shows of a cluster that changes', () => {
  let fixture: TuiFixture
  beforeEach(async () => (fixture = await createTuiFixture()))
  afterEach(() => fixture.end())

  async function open(): Promise<FakeTty> {
    const { tty } = fixture.open()
    await tty.sees('● connected')
    return tty
  }

  it('is its figures at home, all of them in one line', async () => {
    const { client, source, cluster, clock } = fixture
    source.file('/src/one.txt', 'one')
    const tty = await open()
    await tty.sees(/^● well +3\/3 nodes up, [\d.]+ \w+ free, 0 snapshots, 0 packs short, backup never$/m)
    const { packs } = await client.backup({ source, paths: [Buffer.from('/src')] })
    await tty.sees(/^● well +3\/3 nodes up, .* free, 1 snapshot, 0 packs short, backup (now|\d+s ago)$/m)
    const holder = packs[0]?.nodes[0] ?? ''
    cluster.kill(holder)
    clock.advance(deadAfterMs)
    await tty.sees(/^● (needs )?attention +2\/3 .*up, .* free, 1 snapshot, \d+ packs? short, backup \w+ ago$/m)
    await tty.sees(`Dead: ${holder}.`)
  })

  it('says how it is without leaving a figure out, in however wide a window', async () => {
    const status = { ...(await fixture.client.status()), snapshots: 12_345, packsDegraded: 123_456, lastBackupMs: 1 }
    for (const columns of [80, 100, 120]) {
      const lines = healthLines(status, 50 * dayMs, columns)
      for (const line of lines) expect(lineWidth(line)).to.be.at.most(columns)
      const text = lines.map(lineText).join('\n')
      for (const figure of ['3/3', 'free', '12,345 snapshots', '123,456 packs short', 'backup 49d ago']) {
        expect(text).to.include(figure)
      }
    }
  })

  it('is repairs that are going on, and what they wait for', async () => {
    const shown = initialState({
      ...{ window: { columns: 80, rows: 24 }, nowMs: 0, manager: 'test:7400' },
      ...{ root: Buffer.from('/root'), timeZone: 'UTC' },
    })
    const [status, schedules] = [await fixture.client.status(), await fixture.client.schedules.summary()]
    const repair = { kind: 'repair', subject: '', packsDone: 11, packsTotal: 22, bytesDone: 2 ** 20 } as const
    const going = { ...repair, bytesTotal: 2 ** 24, bytesPerSecond: 2 ** 18, running: 2, waitsFor: '' }
    const drain = { ...going, kind: 'drain', subject: 'n1', bytesPerSecond: 0, waitsFor: 'a node with room' } as const
    const news = { kind: 'status', status, tasks: [going, drain], schedules } as const
    const cluster = reduce(shown, { type: 'key', key: { kind: 'text', text: '5' } })
    const lines = windowLines(reduce(cluster, { type: 'news', job: 1, news })).map(lineText)
    const text = lines.join('\n')
    expect(text, text)
      .to.match(/^ {2}repair ███░░░ 11\/22 packs, 1\.00 MiB of 16\.00 MiB, 256\.0 KiB\/s, 1:00 left$/m)
      .and.to.match(/^ {2}drain n1 ███░░░ 11\/22 packs, .*, waits for a node with room$/m)
  })

  it('is found by host, path, tag and time', async () => {
    const { client, source, clock } = fixture
    source.file('/src/letters/a', 'a')
    source.file('/src/photos/b', 'b')
    const saved = [
      { path: '/src/letters', host: 'web1', tags: ['nightly'] },
      { path: '/src/photos', host: 'web2', tags: ['nightly', 'before-move'] },
      { path: '/src/letters', host: 'web2', tags: [] },
    ]
    const ids: string[] = []
    for (const { path, host, tags } of saved) {
      const { snapshot } = await client.backup({ source, paths: [Buffer.from(path)], host, tags })
      ids.push(snapshot?.shortId ?? '')
      clock.advance(dayMs)
    }
    const day = (at: number): string => new Date(fixture.clock.nowMs() - (3 - at) * dayMs).toISOString().slice(0, 10)
    const tty = await open()
    tty.type('2')
    await tty.sees(...ids)
    const found: readonly (readonly [string, readonly number[]])[] = [
      ['web2', [1, 2]],
      ['letters', [0, 2]],
      ['before-move', [1]],
      [day(2), [2]],
      [`web2 letters ${day(2)}`, [2]],
      [`web1 ${day(1)}`, []],
      [ids[0] ?? '', [0]],
    ]
    for (const [filter, wanted] of found) {
      tty.type(`/\x15${filter}${keys.enter}`)
      await tty.sees(`Filter: ${filter}`, wanted.length === 0 ? 'Nothing matches.' : (ids[wanted[0] ?? 0] ?? ''))
      const shown = ids.filter((id) =>
        tty.screen
          .text()
          .replace(/Filter:.*/, '')
          .includes(id),
      )
      expect(shown, filter).to.deep.equal(wanted.map((at) => ids[at]))
    }
  })
})
