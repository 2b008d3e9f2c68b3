import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileStatus } from '../../../../src/client/file-status.ts'
import { loadFileStatus, toStat } from '../../../../src/client/file-status.ts'
import type { SourceStat } from '../../../../src/client/source-tree.ts'

describe('the status of a file', () => {
  let root: string
  let status: FileStatus
  before(async () => {
    const loaded = await loadFileStatus()
    if (loaded === undefined) throw new Error('the package koffi is not installed')
    status = loaded
  })
  beforeEach(() => (root = fs.mkdtempSync(join(tmpdir(), 'twofold-status-'))))
  afterEach(() => fs.rmSync(root, { recursive: true }))

  const ofNode = (path: string | Buffer): SourceStat => toStat(fs.lstatSync(path, { bigint: true }))
  const all = (stat: SourceStat): unknown => stat
  /** Looks at the entries of a folder, each as both say it. */
  function compare(folder: string, part = all): number {
    const directory = fs.openSync(folder, 'r')
    const names = fs.readdirSync(folder, { encoding: 'latin1' })
    for (const name of names) {
      expect(status.ofEntry(directory, name), name).to.equal(true)
      const path = Buffer.from(`${folder}/${name}`, 'latin1')
      expect(part(status.copy()), path.toString()).to.deep.equal(part(ofNode(path)))
    }
    fs.closeSync(directory)
    return names.length
  }

  it('is what Node says, of entries of every type, size, name and time', async () => {
    const at = (name: string): string => join(root, name)
    fs.writeFileSync(at('n'.repeat(255)), 'content')
    fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe, 0x20])]), '')
    fs.mkdirSync(at('directory'), { mode: 0o1751 })
    fs.symlinkSync('x'.repeat(300), at('symlink'))
    fs.linkSync(at('n'.repeat(255)), at('link'))
    fs.writeFileSync(at('sparse'), '')
    fs.truncateSync(at('sparse'), 2 ** 42 + 5)
    execFileSync('mkfifo', [at('fifo')])
    const server = createServer().listen(at('socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    for (const [name, time] of Object.entries({ old: '1905-06-07T08:09:10.123456789Z', late: '2400-01-01' })) {
      execFileSync('touch', ['-d', time, at(name)])
    }
    fs.chmodSync(at('old'), 0o6755)
    expect(compare(root)).to.equal(10)
    server.close()
  })

  it('is what Node says, of devices and of other file systems', () => {
    // What others change meanwhile is left out.
    const lasting = ({ type, mode, uid, gid, inode, device }: SourceStat): unknown => [
      type,
      mode,
      uid,
      gid,
      inode,
      device,
    ]
    for (const folder of ['/', '/dev', '/sys']) expect(compare(folder, lasting)).to.be.greaterThan(3)
  })

  it('follows an open file, and a copy keeps what it was', () => {
    const path = join(root, 'file')
    const descriptor = fs.openSync(path, 'w')
    expect(status.ofOpen(descriptor)).to.equal(true)
    const before = status.copy()
    fs.writeSync(descriptor, 'four')
    expect(status.ofOpen(descriptor)).to.equal(true)
    fs.closeSync(descriptor)
    expect(status.copy()).to.deep.equal(ofNode(path))
    expect([before.size, status.size]).to.deep.equal([0, 4])
  })

  it('is refused for what is not there, cannot be, or is not open', () => {
    const directory = fs.openSync(root, 'r')
    expect(status.ofEntry(directory, 'nothing')).to.equal(false)
    expect(status.ofEntry(directory, 'n'.repeat(256))).to.equal(false)
    fs.closeSync(directory)
    expect(status.ofEntry(directory, 'nothing')).to.equal(false)
    expect(status.ofOpen(directory)).to.equal(false)
  })
})
