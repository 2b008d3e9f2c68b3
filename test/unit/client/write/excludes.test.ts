import { expect } from 'chai'
import { createExcludes, parseExcludeFile } from '../../../../src/client/excludes.ts'

const file = { type: 'file', inCacheDirectory: false } as const
const directory = { type: 'directory', inCacheDirectory: false } as const

function excluded(
  patterns: string[],
  path: string | Uint8Array,
  subject: typeof file | typeof directory = file,
): boolean {
  return createExcludes({ patterns })(typeof path === 'string' ? Buffer.from(path) : path, subject)
}

describe('excludes', () => {
  it('matches a name at any depth', () => {
    expect(excluded(['*.o'], '/home/a/b.o')).to.equal(true)
    expect(excluded(['node_modules'], '/srv/x/node_modules', directory)).to.equal(true)
    expect(excluded(['*.o'], '/home/a/b.op')).to.equal(false)
  })

  it('anchors a pattern with a leading slash at the root', () => {
    expect(excluded(['/home/a'], '/home/a', directory)).to.equal(true)
    expect(excluded(['/home/a'], '/srv/home/a', directory)).to.equal(false)
    expect(excluded(['/home/*/tmp'], '/home/a/tmp')).to.equal(true)
    expect(excluded(['/home/*/tmp'], '/home/a/b/tmp')).to.equal(false)
  })

  it('matches a pattern of several parts at any depth', () => {
    expect(excluded(['foo/bar'], '/x/foo/bar')).to.equal(true)
    expect(excluded(['foo/**/bar'], '/x/foo/1/2/bar')).to.equal(true)
    expect(excluded(['foo/bar'], '/x/foo/1/bar')).to.equal(false)
  })

  it('tells case, keeps # literal, takes back with !, and means directories by a trailing slash', () => {
    expect(excluded(['*.TXT'], '/a.txt')).to.equal(false)
    expect(excluded(['#x#'], '/a/#x#')).to.equal(true)
    expect(excluded(['*.log', '!keep.log'], '/a/keep.log')).to.equal(false)
    expect(excluded(['build/'], '/a/build', directory)).to.equal(true)
    expect(excluded(['build/'], '/a/build', file)).to.equal(false)
  })

  it('matches in names that are not UTF-8, beside directories that are', () => {
    const path = Buffer.concat([Buffer.from('/é/'), Buffer.from([0xff, 0x2e, 0x6f])])
    expect(excluded(['/é/*.o'], path)).to.equal(true)
    expect(excluded(['?.o'], path)).to.equal(true)
    expect(excluded(['*.txt'], path)).to.equal(false)
  })

  it('leaves out what lies in a cache directory, but its tag', () => {
    const excludes = createExcludes({ patterns: [], caches: true })
    expect(excludes(Buffer.from('/c/data'), { type: 'file', inCacheDirectory: true })).to.equal(true)
    expect(excludes(Buffer.from('/c/CACHEDIR.TAG'), { type: 'file', inCacheDirectory: true })).to.equal(false)
    expect(excludes(Buffer.from('/c/data'), file)).to.equal(false)
  })

  it('answers the same after very many paths', () => {
    const excludes = createExcludes({ patterns: ['*.o'] })
    for (let number = 0; number < 45_000; number++) {
      expect(excludes(Buffer.from(`/d/${number}.${number % 2 === 0 ? 'o' : 'c'}`), file)).to.equal(number % 2 === 0)
    }
  })

  it('refuses an empty pattern, and reads exclude files', () => {
    expect(() => createExcludes({ patterns: [''] })).to.throw('must not be empty')
    expect(parseExcludeFile('# comment\n\n*.o\r\n/tmp\n')).to.deep.equal(['*.o', '/tmp'])
  })
})
