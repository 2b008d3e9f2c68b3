import { expect } from 'chai'
import fc from 'fast-check'
import { tuiNoticeMs } from '../../../src/core/client-limits.ts'
import { KeyParser } from '../../../src/tui/key-parser.ts'
import { lineText, lineWidth } from '../../../src/tui/lines.ts'
import { reduce } from '../../../src/tui/reduce.ts'
import { currentScreen, initialState } from '../../../src/tui/state.ts'
import type { Action, State } from '../../../src/tui/state.ts'
import { windowLines } from '../../../src/tui/window-view.ts'
import type { Work } from '../../../src/tui/work.ts'

const beginning = {
  ...{ window: { columns: 80, rows: 24 }, nowMs: 0, manager: 'test:7400' },
  ...{ root: Buffer.from('/root'), timeZone: 'UTC' },
}

function typed(state: State, text: string): State {
  const parser = new KeyParser()
  return [...parser.push(text), ...parser.flush()].reduce((next, key) => reduce(next, { type: 'key', key }), state)
}

const started = (state: State): Work[] => state.jobs.map(({ work }) => work)

describe('the state of the full-screen client', () => {
  const initial = initialState(beginning)

  it('follows the cluster from the beginning, and names what is to be done', () => {
    expect(started(initial)).to.deep.equal([{ kind: 'follow-cluster' }])
    const opened = typed(initial, '1')
    expect(currentScreen(opened)).to.equal('backup')
    expect(started(opened).at(-1)).to.deep.equal({ kind: 'list-folder', path: Buffer.from('/root') })
  })

  it('lets newer work of a kind take the place of older, whose news is not heard any more', () => {
    const once = typed(initial, '4')
    const twice = typed(once, 'r')
    const [, old, young] = twice.jobs
    expect([old?.cancelled, young?.cancelled]).to.deep.equal([true, false])
    const news = { kind: 'history', operations: [] } as const
    const late = reduce(twice, { type: 'news', job: old?.id ?? 0, news })
    expect(late.own.history).to.equal(twice.own.history)
    const heard = reduce(twice, { type: 'news', job: young?.id ?? 0, news })
    expect(heard.own.history).to.deep.include({ operations: [] })
    const ended = { kind: 'ended', work: { kind: 'list-history' }, problem: undefined, cancelled: true } as const
    expect(reduce(twice, { type: 'news', job: old?.id ?? 0, news: ended }).jobs).to.have.length(2)
  })

  it('hears nothing of work that nobody knows', () => {
    const news = { kind: 'stage', what: 'nothing' } as const
    expect(reduce(initial, { type: 'news', job: 99, news })).to.equal(initial)
  })

  it('goes back the way it came, and not beyond', () => {
    const there = typed(initial, '5')
    expect(there.trail).to.deep.equal(['home', 'cluster'])
    expect(typed(there, '\x1b').trail).to.deep.equal(['home'])
    expect(typed(typed(there, '\x1b'), '\x1b').trail).to.deep.equal(['home'])
  })

  it('takes every character for the text while one is typed', () => {
    const typing = typed(typed(initial, '4'), '/q?1')
    expect([typing.leaving, typing.help, currentScreen(typing)]).to.deep.equal([false, false, 'history'])
    expect(windowLines(typing).map(lineText).join('\n')).to.include('Filter: q?1')
  })

  it('leaves when nothing is under way, and asks when something is', () => {
    expect(typed(initial, 'q').leaving).to.equal(true)
    const busy = reduce(initial, { type: 'tick', nowMs: 1 })
    const backing = { ...busy, jobs: [...busy.jobs, { id: 7, work: backup, startedMs: 0, cancelled: false }] }
    const asked = typed(backing, 'q')
    expect([asked.leaving, asked.question?.title]).to.deep.equal([false, 'Stop and leave?'])
    expect(typed(asked, 'n').leaving).to.equal(false)
    const gone = typed(asked, 'y')
    expect(gone.leaving).to.equal(true)
    expect(gone.jobs.every(({ cancelled }) => cancelled)).to.equal(true)
    // Whoever cannot wait for it presses once more.
    expect(typed(gone, '\x03').jobs).to.deep.equal([])
  })

  const backup: Work = { kind: 'backup', paths: [] }

  it('takes a remark away after a while', () => {
    const told: State = { ...initial, notice: { text: 'done', tone: 'good', untilMs: tuiNoticeMs } }
    expect(reduce(told, { type: 'tick', nowMs: tuiNoticeMs - 1 }).notice).not.to.equal(undefined)
    expect(reduce(told, { type: 'tick', nowMs: tuiNoticeMs }).notice).to.equal(undefined)
  })

  it('says when the manager is away, since when, and that it answers no more', () => {
    const lost = reduce(initial, { type: 'news', job: 1, news: { kind: 'lost', problem: 'gone', retryMs: 3000 } })
    expect(lineText(windowLines(lost)[0] ?? [])).to.include('unreachable, again in 3 s')
    const again = reduce(
      { ...lost, nowMs: 9000 },
      { type: 'news', job: 1, news: { kind: 'lost', problem: 'gone', retryMs: 1 } },
    )
    expect(again.feed.link).to.include({ sinceMs: 0 })
  })

  it('fills any window exactly, whatever was typed and whatever its size', () => {
    const keys = fc.constantFrom(
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '\r',
      '\x1b',
      '\x1b[A',
      '\x1b[B',
      ' ',
      '/',
      '?',
      'a',
      'n',
      'u',
      'd',
      'e',
      'o',
      'y',
      '\t',
    )
    const sizes = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 70 }) })
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 12 }), sizes, (texts, window) => {
        const state = reduce(texts.reduce(typed, initial), { type: 'resized', window } satisfies Action)
        const lines = windowLines(state)
        expect(lines).to.have.length(window.rows)
        for (const line of lines) expect(lineWidth(line), lineText(line)).to.be.at.most(window.columns)
      }),
    )
  })
})
