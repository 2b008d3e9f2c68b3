import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAccountNames } from '../../../../src/client/account-names.ts'
import { SourceDisk } from '../../../../src/client/source-disk.ts'
import { systemClock } from '../../../../src/system/clock.ts'
import { expectError } from '../../../support/expect-error.ts'

describe('the file systems of this machine', () => {
  const source = new SourceDisk(systemClock)
  let root: string
  beforeEach(() => (root = fs.mkdtempSync(join(tmpdir(), 'twofold-disk-'))))
  afterEach(() => execFileSync('rm', ['-rf', root]))

  it('reaches what lies deeper than a path can say in one call', async () => {
    const name = 'n'.repeat(200)
    const descend = `for i in $(seq 50); do mkdir ${name}; cd ${name}; done`
    execFileSync('bash', ['-c', `cd "${root}"; ${descend}; echo deep > file; ln -s x link`])
    const deep = Buffer.from(join(root, ...Array.from({ length: 50 }, () => name)))
    expect(deep.length).to.be.greaterThan(10_000)
    expect((await source.list(deep)).entries.map((entry) => Buffer.from(entry.name).toString())).to.deep.equal([
      'file',
      'link',
    ])
    const file = Buffer.concat([deep, Buffer.from('/file')])
    const target = Buffer.alloc(10)
    expect((await source.readSmall(file, target)).length).to.equal(5)
    const opened = await source.open(file)
    expect(await opened.read(target, 0)).to.equal(5)
    await opened.close()
    expect(Buffer.from(await source.readLink(Buffer.concat([deep, Buffer.from('/link')]))).toString()).to.equal('x')
    await expectError(source.stat(Buffer.concat([deep, Buffer.from('/nothing')])), 'not-found')
    const descriptors = fs.readdirSync('/proc/self/fd').length
    for (let round = 0; round < 50; round++) await source.stat(file)
    expect(fs.readdirSync('/proc/self/fd').length).to.be.at.most(descriptors + 1)
  })

  it('tells a sparse file by what is allocated', async () => {
    const path = join(root, 'sparse')
    fs.writeFileSync(path, 'x')
    fs.truncateSync(path, 1_000_000)
    const stat = await source.stat(Buffer.from(path))
    expect(stat.size).to.equal(1_000_000)
    expect(stat.allocatedBytes).to.be.lessThan(100_000)
  })

  it('gives times in nanoseconds, and names of users', async () => {
    const path = join(root, 'file')
    fs.writeFileSync(path, 'x')
    execFileSync('touch', ['-d', '2001-02-03T04:05:06.123456789Z', path])
    expect((await source.stat(Buffer.from(path))).mtimeNs).to.equal(981173106123456789n)
    expect(source.userName(0)).to.equal('root')
    expect(source.groupName(0)).to.equal('root')
    expect(source.userName(4_000_000_000)).to.equal('')
  })

  it('names what the system said', async () => {
    const error = await expectError(source.readLink(Buffer.from(root)), 'io')
    expect(error.message).to.equal('invalid argument (EINVAL)')
  })

  it('reads account files, and skips lines that are none', () => {
    const names = parseAccountNames('root:x:0:0:\n# comment\nbad line\n\ntoor:x:0:0:\nsomebody:x:1000:1000:::\nx:y:z\n')
    expect([...names]).to.deep.equal([
      [0, 'root'],
      [1000, 'somebody'],
    ])
  })
})
