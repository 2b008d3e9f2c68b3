import { expect } from 'chai'
import fc from 'fast-check'
import { nearest } from '../../../src/cli/nearest.ts'
import { parseRate } from '../../../src/cli/rate-options.ts'
import { renderTable } from '../../../src/cli/table.ts'
import type { Column } from '../../../src/cli/table.ts'
import { cutText, cutTextLeft, textWidth } from '../../../src/core/text-width.ts'
import { parseTimeStyle, showTime } from '../../../src/cli/time-style.ts'

const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'Host', spare: 2 },
  { title: 'Note', spare: 3 },
  { title: 'Path', spare: 1, keep: 'end' },
]
const row = ['12345678', 'a-rather-long-name', 'nothing of weight', '/home/somebody/documents/2026']

describe('a table in a window', () => {
  const fit = (width: number): string[] => renderTable(columns, [row], { width, heading: true })

  it('is left alone where there is room, or nobody watches', () => {
    expect(fit(200)).to.deep.equal(renderTable(columns, [row]))
  })

  it('shortens the least important column first, and leaves it out when that is not enough', () => {
    expect(fit(70)[2]).to.equal('12345678  a-rather-long-name  nothing…   /home/somebody/documents/2026')
    expect(fit(60)[2]).to.equal('12345678  a-rather-l…  nothi…  /home/somebody/documents/2026')
    expect(fit(30)[2]).to.equal('12345678  a-rat…  …uments/2026')
    expect(fit(20)[2]).to.equal('12345678  …ents/2026')
  })

  it('is never wider than the window as long as its indispensable columns fit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 120 }), fc.array(fc.string({ maxLength: 40 })), (width, cells) => {
        const rows = [row, cells.slice(0, 4).map((text, at) => (at === 0 ? '1' : text.replace(/[^ -~]/g, '日')))]
        for (const line of renderTable(columns, rows, { width, heading: true })) {
          expect(textWidth(line)).to.be.at.most(width)
        }
      }),
    )
  })

  it('has no heading for whoever wants only the rows', () => {
    expect(renderTable([{ title: 'A' }], [['1']], { width: undefined, heading: false })).to.deep.equal(['1'])
  })

  it('counts wide characters when it shortens', () => {
    expect(cutText('日本語の文', 7)).to.equal('日本語…')
    expect(cutTextLeft('abcdef', 4)).to.equal('…def')
    expect(cutText('abc', 0)).to.equal('')
  })
})

describe('times for people', () => {
  const now = Date.UTC(2026, 0, 20, 12)
  const hour = 3_600_000

  it('are absolute, relative, both, or as programs write them', () => {
    expect(showTime(now - 2 * hour, 'relative', now)).to.equal('2 hours ago')
    expect(showTime(now + 5 * 24 * hour, 'relative', now)).to.equal('in 5 days')
    expect(showTime(now + 90 * 60_000, 'relative', now)).to.equal('in 1 hour')
    expect(showTime(now, 'iso', now)).to.equal('2026-01-20T12:00:00.000Z')
    expect(showTime(now, 'absolute', now)).to.match(/^2026-01-\d\d \d\d:00:00$/)
    expect(showTime(now - hour, 'both', now)).to.match(/^2026-01-\d\d .* \(1 hour ago\)$/)
    expect(() => parseTimeStyle('sundial')).to.throw(/is no way to show times/)
  })
})

describe('the nearest word', () => {
  const known = ['backup', 'restore', 'snapshots', 'status', 'stats', 'diff', 'ls']

  it('is what was probably meant', () => {
    const meant = ['bakcup', 'restor', 'snapshot', 'Status', 'dif', 'snap'].map((word) => nearest(word, known))
    expect(meant).to.deep.equal(['backup', 'restore', 'snapshots', 'status', 'diff', 'snapshots'])
  })

  it('is none when nothing is near', () => {
    expect(nearest('frobnicate', known)).to.equal(undefined)
  })
})

describe('a rate', () => {
  it('is a size a second, or none', () => {
    expect(['5MB', '5MB/s', '1MiB/sec', 'off', '0'].map(parseRate)).to.deep.equal([5e6, 5e6, 1024 ** 2, 0, 0])
    expect(() => parseRate('fast')).to.throw(/is no size/)
  })
})
