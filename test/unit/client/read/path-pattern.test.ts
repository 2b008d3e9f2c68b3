import { expect } from 'chai'
import { PathPatterns } from '../../../../src/client/path-pattern.ts'

const bytes = (path: string): Uint8Array => Buffer.from(path)

describe('PathPatterns', () => {
  const cases: [pattern: string, path: string, matches: boolean, exactly: boolean][] = [
    ['*.txt', '/a/b.txt', true, true],
    ['*.txt', '/a/b.txt.gz', false, false],
    ['*.txt', '/dir.txt/below', true, false],
    ['b', '/a/b/c', true, false],
    ['b', '/a/bc', false, false],
    ['/b', '/a/b', false, false],
    ['/a/b', '/a/b/c', true, false],
    ['a/*/c', '/x/a/b/c', true, true],
    ['a/*/c', '/a/b/b/c', false, false],
    ['/a/**/c', '/a/c', true, true],
    ['/a/**/c', '/a/b/b/c', true, true],
    ['/a/**', '/a/b/c', true, true],
    ['**/c', '/a/b/c', true, true],
    ['?', '/ü', true, true],
    ['[a-c]x', '/bx', true, true],
    ['[!a-c]x', '/bx', false, false],
    ['[^a-c]x', '/dx', true, true],
    ['a+b(c)|{d}', '/a+b(c)|{d}', true, true],
    ['\\*', '/a', false, false],
    ['\\*', '/*', true, true],
    ['two*', '/two\nlines', true, true],
    ['A', '/a', false, false],
  ]
  for (const [pattern, path, matches, exactly] of cases) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(path)}`, () => {
      const patterns = new PathPatterns([pattern])
      expect(patterns.matches(bytes(path))).to.equal(matches)
      expect(patterns.matchesExactly(bytes(path))).to.equal(exactly)
      if (!matches) return
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        expect(patterns.mayMatchBelow(bytes(path.slice(0, end))), path.slice(0, end)).to.equal(true)
      }
    })
  }

  it('knows below which directories an anchored pattern cannot match', () => {
    const patterns = new PathPatterns(['/a/b/*.txt'])
    expect(
      ['/', '/a', '/a/b', '/x', '/a/x', '/a/b/c'].map((path) => patterns.mayMatchBelow(bytes(path))),
    ).to.deep.equal([true, true, true, false, false, false])
    expect(new PathPatterns(['x']).mayMatchBelow(bytes('/anything'))).to.equal(true)
    expect(new PathPatterns([]).mayMatchBelow(bytes('/'))).to.equal(false)
  })

  it('matches names that are not UTF-8 with wildcards', () => {
    const path = Buffer.from([0x2f, 0x61, 0xff, 0x2e, 0x63])
    expect(new PathPatterns(['a?.c']).matches(path)).to.equal(true)
    expect(new PathPatterns(['*.c']).matches(path)).to.equal(true)
  })

  it('refuses what is no pattern', () => {
    for (const pattern of ['', '/', './', '[a', '[z-a]']) {
      expect(() => new PathPatterns([pattern]), pattern).to.throw(/no pattern|no set/)
    }
  })
})
