import { expect } from 'chai'
import { join } from 'node:path'
import type { ProgressEvent } from '../../../src/client/index.ts'
import { tuiSpinnerMs } from '../../../src/core/client-limits.ts'
import { KeyParser } from '../../../src/tui/key-parser.ts'
import { lineText } from '../../../src/tui/lines.ts'
import { reduce } from '../../../src/tui/reduce.ts'
import { screens } from '../../../src/tui/screens.ts'
import { screenNames } from '../../../src/tui/screen.ts'
import { currentScreen, initialState, isBusy, sharedOf, spinnerOf } from '../../../src/tui/state.ts'
import type { State } from '../../../src/tui/state.ts'
import { windowLines } from '../../../src/tui/window-view.ts'
import { tableRows } from '../../e2e/shell-document.ts'

const initial = initialState({
  ...{ window: { columns: 80, rows: 24 }, nowMs: 0, manager: 'test:7400' },
  ...{ root: Buffer.from('/root'), timeZone: 'UTC' },
})

function typed(state: State, text: string): State {
  const parser = new KeyParser()
  return [...parser.push(text), ...parser.flush()].reduce((next, key) => reduce(next, { type: 'key', key }), state)
}

const textOf = (state: State): string => windowLines(state).map(lineText).join('\n')

/** Each screen as it is when somebody comes to it. */
const opened = screenNames.map((_, at) => (at === 0 ? initial : typed(initial, String(at))))

describe('every screen', () => {
  it('is in the menu under its number, in the order of the document', () => {
    expect(opened.map(currentScreen)).to.deep.equal([...screenNames])
    const described = tableRows(join(import.meta.dirname, '../../../docs/terminal-client.md'), 'screen')
    const titles = screenNames.map((name) => (name === 'home' ? 'Home' : screens[name].title))
    expect(described.map(([title]) => title)).to.deep.equal(titles)
  })

  it('says all its keys in a window of 80 by 24, and ? explains them', () => {
    for (const state of opened) {
      const name = currentScreen(state)
      const help = textOf(typed(state, '?'))
      for (const { key, does } of screens[name].keys(state.own[name], sharedOf(state))) {
        expect(textOf(state), name).to.include(` ${key} ${does} `)
        expect(help, name).to.match(new RegExp(`^  ${key.replace(/[/?]/, '\\$&')} +${does}$`, 'm'))
      }
      expect(help).to.include(screens[name].help[0]?.slice(0, 60))
    }
  })

  it('goes back with Esc and leaves with q or Ctrl-C, also while something is asked or typed', () => {
    for (const state of opened) {
      expect(currentScreen(typed(state, '\x1b'))).to.equal('home')
      expect(typed(state, 'q').leaving).to.equal(true)
      expect(typed(typed(state, '?'), '\x03').leaving).to.equal(true)
      expect(typed(typed(state, '/text'), '\x03').leaving).to.equal(true)
    }
  })

  it('shows a spinner from the first picture on while it waits, and turns it within 100 ms', () => {
    expect(tuiSpinnerMs).to.be.at.most(100)
    for (const state of opened) {
      expect(isBusy(state), currentScreen(state)).to.equal(true)
      const [first, second] = [spinnerOf(state), spinnerOf({ turn: state.turn + 1 })]
      const later = reduce(state, { type: 'tick', nowMs: tuiSpinnerMs })
      expect(textOf(state), currentScreen(state)).to.include(first)
      expect(textOf(later)).to.include(second).and.not.to.include(first)
    }
  })
})

describe('a backup that goes on', () => {
  it('shows files, bytes, what is new, rate, time left, and where each pack goes', () => {
    const entry = { name: Buffer.from('a'), shown: 'a', type: 'file', size: 1, mtimeMs: 0 } as const
    let state = typed(initial, '1')
    const tell = (news: Parameters<typeof reduce>[1] & { type: 'news' }): void => void (state = reduce(state, news))
    const path = Buffer.from('/root')
    tell({ type: 'news', job: 2, news: { kind: 'folder', path, entries: [entry], count: 1 } })
    state = typed(state, 'b')
    const job = state.lastJobId
    const events: ProgressEvent[] = [
      {
        ...{ type: 'status', secondsElapsed: 4, secondsRemaining: 61, filesDone: 1234, totalFiles: 5000 },
        ...{ bytesDone: 4 * 1024 ** 2, totalBytes: 8 * 1024 ** 2, newBytes: 1024 ** 2, knownBytes: 3 * 1024 ** 2 },
        ...{ percentDone: 0.5, currentFiles: ['/srv/\x1b[31mred'], errorCount: 0, waitingFor: [] },
      } as unknown as ProgressEvent,
      {
        ...{ type: 'pack', packId: 'abcdef0123456789', lengthBytes: 16 * 1024 ** 2, primary: 'n1', replicas: ['n3'] },
        ...{ state: 'durable' },
      } as unknown as ProgressEvent,
    ]
    for (const event of events) tell({ type: 'news', job, news: { kind: 'progress', of: 'backup', event } })
    const text = textOf(state)
    for (const wanted of ['50.0%', '1,234 of 5,000', '1.00 MiB new, 3.00 MiB deduplicated', '/s, ', '1:01 left']) {
      expect(text).to.include(wanted)
    }
    expect(text).to.match(/abcdef012345 +16\.00 MiB +n1 +→ +n3 +durable/)
    expect(text).to.include('/srv/\\x1b[31mred')
    const open = { ...events[0], open: true } as unknown as ProgressEvent
    tell({ type: 'news', job, news: { kind: 'progress', of: 'backup', event: open } })
    expect(textOf(state)).to.include('not known yet').and.to.include('1,234 so far').and.not.to.include('%')
  })
})
