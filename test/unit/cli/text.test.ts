import { expect } from 'chai'
import fc from 'fast-check'
import { formatAgo, formatBytes, formatDuration, formatMode, plural } from '../../../src/core/human-format.ts'
import { jsonTimeNs } from '../../../src/cli/json-time.ts'
import { parseCount, parseDuration, parseSize } from '../../../src/cli/quantities.ts'
import { isUtf8, safePath, safeText } from '../../../src/core/safe-text.ts'
import { renderTable } from '../../../src/cli/table.ts'
import { textWidth } from '../../../src/core/text-width.ts'

describe('text for a terminal', () => {
  it('has no control characters and nothing that changes the direction of text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(safePath(bytes)).not.to.match(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }),
    )
    expect(safeText('a\x1b[31mred\nb\u202ec')).to.equal('a\\x1b[31mred\\nb\\u202ec')
  })

  it('shows bytes that are no UTF-8, and keeps the characters around them', () => {
    expect(safePath(Buffer.from([0x2f, 0xc3, 0xa9, 0xff, 0x41, 0xc3]))).to.equal('/é\\xffA\\xc3')
    expect(safePath(Buffer.from('/ordinary/ñ/😀'))).to.equal('/ordinary/ñ/😀')
  })

  it('knows UTF-8 from other bytes', () => {
    expect(isUtf8(Buffer.from('é'))).to.equal(true)
    expect(isUtf8(Buffer.from([0xed, 0xa0, 0x80]))).to.equal(false)
  })
})

describe('numbers for people', () => {
  it('shows sizes in binary units', () => {
    expect(formatBytes(0)).to.equal('0 B')
    expect(formatBytes(1023)).to.equal('1023 B')
    expect(formatBytes(1536)).to.equal('1.50 KiB')
    expect(formatBytes(150 * 1024 ** 2)).to.equal('150.0 MiB')
  })

  it('shows durations', () => {
    expect([812, 59_000, 724_000, 3_723_000].map(formatDuration)).to.deep.equal(['0.8 s', '59 s', '12:04', '1:02:03'])
  })

  it('shows how long ago something was', () => {
    const now = 10 * 86_400_000
    expect(formatAgo(0, now)).to.equal('never')
    expect(formatAgo(now - 1000, now)).to.equal('just now')
    expect(formatAgo(now - 59_999, now)).to.equal('59 seconds ago')
    expect(formatAgo(now - 3 * 3_600_000, now)).to.equal('3 hours ago')
    expect(formatAgo(now + 5000, now)).to.equal('just now')
    expect(plural(1, 'file')).to.equal('1 file')
  })

  it('shows modes as ls does', () => {
    expect(formatMode('directory', 0o1777)).to.equal('drwxrwxrwt')
    expect(formatMode('file', 0o4750)).to.equal('-rwsr-x---')
    expect(formatMode('file', 0o2640)).to.equal('-rw-r-S---')
  })

  it('writes times with nanoseconds, before the epoch as well', () => {
    expect(jsonTimeNs(1_700_000_000_123_456_789n)).to.equal('2023-11-14T22:13:20.123456789Z')
    expect(jsonTimeNs(-1n)).to.equal('1969-12-31T23:59:59.999999999Z')
    expect(jsonTimeNs(2n ** 90n)).to.match(/^\+275760-/)
  })
})

describe('quantities from people', () => {
  it('reads sizes: decimal with B, binary without', () => {
    expect(['10GB', '10G', '10GiB', '1.5kB', '7'].map(parseSize)).to.deep.equal([
      10e9,
      10 * 1024 ** 3,
      10 * 1024 ** 3,
      1500,
      7,
    ])
  })

  it('reads durations and counts', () => {
    expect(['500ms', '5s', '1.5m', '2h'].map(parseDuration)).to.deep.equal([500, 5000, 90_000, 7_200_000])
    expect(parseCount('12')).to.equal(12)
  })

  it('refuses what is none, in words', () => {
    for (const text of ['', '10 parsecs', '-1GB', '1e9', 'GB']) {
      expect(() => parseSize(text), text).to.throw(/is no size/)
    }
    expect(() => parseDuration('5')).to.throw(/is no duration/)
    expect(() => parseCount('0', 1)).to.throw(/from 1 on/)
    expect(() => parseCount('1.5')).to.throw(/no whole number/)
  })
})

describe('a table', () => {
  it('aligns columns by what a terminal shows', () => {
    const lines = renderTable(
      [{ title: 'Name' }, { title: 'Size', align: 'right' }],
      [
        ['é', '1'],
        ['日本', '1000'],
      ],
    )
    expect(lines).to.deep.equal(['Name  Size', '----------', 'é        1', '日本  1000'])
    expect(textWidth('日本')).to.equal(4)
  })
})
