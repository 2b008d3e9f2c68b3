import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { draftName } from '../../src/cli/archive-drafts.ts'
import { writeArchiveFile } from '../../src/cli/archive-file.ts'
import { TwofoldError } from '../../src/core/errors.ts'
import { expectError } from '../support/expect-error.ts'
import { RestoreBench } from '../support/restore-bench.ts'

const slash = Buffer.from('/')

interface ZipEntry {
  readonly mode: number
  readonly content: string
}

/** The entries of a zip by its central directory, as any reader finds them. */
function readZip(zip: Buffer): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>()
  let at = zip.readUInt32LE(zip.length - 6)
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)]
    const [nameLength, extraLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)]
    const mode = zip.readUInt32LE(at + 38) >>> 16
    const header = zip.readUInt32LE(at + 42)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    const begin = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28)
    const stored = zip.subarray(begin, begin + size)
    entries.set(name, { mode, content: (method === 8 ? inflateRawSync(stored) : stored).toString() })
    at += 46 + nameLength + extraLength + zip.readUInt16LE(at + 32)
  }
  return entries
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('an archive of a part of a snapshot', () => {
  async function backedUp(): Promise<{ bench: RestoreBench; snapshot: string }> {
    const bench = await RestoreBench.start()
    bench.source.file('/srv/site/a.txt', Buffer.from('a'.repeat(5000))).mode = 0o640
    bench.source.file('/srv/site/empty', Buffer.alloc(0))
    bench.source.file('/srv/site/sub/deep ü.txt', Buffer.from('deep'))
    bench.source.symlink('/srv/site/link', 'a.txt')
    bench.source.file('/srv/other', Buffer.from('not this'))
    const { snapshot } = await bench.client.backup({ source: bench.source, paths: [Buffer.from('/srv')] })
    return { bench, snapshot: snapshot?.id ?? '' }
  }

  it('is a zip with modes and symbolic links, its top being the last name', async () => {
    const { bench, snapshot } = await backedUp()
    const path = Buffer.from('/srv/site')
    const entries = readZip(await collect(await bench.client.archive({ snapshot, path, format: 'zip' })))
    expect([...entries.keys()].sort()).to.deep.equal([
      ...['site/', 'site/a.txt', 'site/empty', 'site/link', 'site/sub/', 'site/sub/deep ü.txt'],
    ])
    expect(entries.get('site/a.txt')).to.deep.equal({ mode: 0o100640, content: 'a'.repeat(5000) })
    expect(entries.get('site/link')).to.deep.equal({ mode: 0o120777, content: 'a.txt' })
    expect(entries.get('site/empty')?.content).to.equal('')
    expect((entries.get('site/')?.mode ?? 0) & 0o170000).to.equal(0o040000)
  })

  it('refuses, as a zip, a name that a zip cannot hold', async () => {
    const bench = await RestoreBench.start()
    bench.source.file(Buffer.from('/srv/\xff', 'latin1'), Buffer.from('x'))
    const { snapshot } = await bench.client.backup({ source: bench.source, paths: [Buffer.from('/srv')] })
    const request = { snapshot: snapshot?.id ?? '', path: Buffer.from('/srv') }
    const zip = await bench.client.archive({ ...request, format: 'zip' })
    expect((await expectError(collect(zip), 'invalid-argument')).message).to.contain('use --format tgz')
    expect(await collect(await bench.client.archive({ ...request, format: 'tar' }))).to.have.length.above(0)
  })

  it('is the same tar in a tgz, of one file or of everything as well', async () => {
    const { bench, snapshot } = await backedUp()
    const of = (path: string, format: 'tar' | 'tgz'): Promise<AsyncIterable<Uint8Array>> =>
      bench.client.archive({ snapshot, path: Buffer.from(path), format })
    const tar = await collect(await of('/srv/site', 'tar'))
    expect(gunzipSync(await collect(await of('/srv/site', 'tgz'))).equals(tar)).to.equal(true)
    const names = async (path: string): Promise<string[]> => {
      const blocks = (await collect(await of(path, 'tar'))).toString('latin1').match(/[^]{512}/g) ?? []
      const headers = blocks.filter((block) => block.slice(257, 262) === 'ustar' && block[156] !== 'x')
      return headers.map((block) => block.slice(0, block.indexOf('\0')))
    }
    expect(await names('/srv/site')).to.include.members(['site/', 'site/a.txt', 'site/link', 'site/sub/'])
    expect(await names('/srv/site/a.txt')).to.deep.equal(['a.txt'])
    expect(await names('/')).to.include.members(['srv/', 'srv/site/a.txt', 'srv/other'])
    await expectError(of('/srv/nothing', 'tgz'), 'not-found')
  })

  it('ends with the failure of what it is made from', async () => {
    const { bench, snapshot } = await backedUp()
    for (const node of bench.cluster.nodes) node.kill()
    for (const format of ['tar', 'tgz', 'zip'] as const) {
      const open = async (): Promise<Buffer> =>
        collect(await bench.client.archive({ snapshot, path: Buffer.from('/srv/site'), format }))
      await expectError(open(), 'unavailable')
    }
  })
})

describe('the file of an archive', () => {
  let folder: string
  const options = { force: false, mark: 'm' }

  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), 'twofold-archive-'))
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  async function* content(...pieces: (string | Error)[]): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) {
      if (piece instanceof Error) throw piece
      yield Buffer.from(piece)
    }
  }

  it('has its name only when it is whole', async () => {
    const path = join(folder, 'a.tgz')
    const seen = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one')
      expect(fs.existsSync(path)).to.equal(false)
      yield slash
    }
    expect(await writeArchiveFile(path, async () => seen(), options)).to.equal(4)
    expect(fs.readdirSync(folder)).to.deep.equal(['a.tgz'])
    expect(fs.readFileSync(path, 'utf8')).to.equal('one/')
  })

  it('leaves nothing behind when its content fails, or was never there', async () => {
    const failure = new TwofoldError('integrity', 'broken')
    const path = join(folder, 'a.tgz')
    await expectError(
      writeArchiveFile(path, async () => content('x', failure), options),
      'integrity',
    )
    await expectError(
      writeArchiveFile(path, () => Promise.reject(failure), options),
      'integrity',
    )
    expect(fs.readdirSync(folder)).to.deep.equal([])
  })

  it('replaces nothing without being told to, also what appears meanwhile', async () => {
    const path = join(folder, 'a.tgz')
    const late = async function* (): AsyncGenerator<Uint8Array> {
      fs.writeFileSync(path, 'another')
      yield slash
    }
    await expectError(
      writeArchiveFile(path, async () => late(), options),
      'already-exists',
    )
    await expectError(
      writeArchiveFile(path, async () => content('x'), options),
      'already-exists',
    )
    expect(fs.readFileSync(path, 'utf8')).to.equal('another')
    await writeArchiveFile(path, async () => content('x'), { ...options, force: true })
    expect(fs.readFileSync(path, 'utf8')).to.equal('x')
    expect(fs.readdirSync(folder)).to.deep.equal(['a.tgz'])
  })

  it('takes away what a killed process left of the same file, and nothing else', async () => {
    const path = join(folder, 'a.tgz')
    const { pid = 0 } = spawnSync('true')
    const left = [draftName('a.tgz', 'x', pid), draftName('a.tgz', 'y', pid)]
    const alive = draftName('a.tgz', 'x')
    const elsewhere = alive.replace(/^(.a.tgz.)\w{8}/, `$1${'0'.repeat(8)}`).replace(/-\d+-/, `-${pid}-`)
    const stays = [alive, elsewhere, draftName('b.tgz', 'x', pid), '.a.tgz.part', `${left[0] ?? ''}.old`]
    for (const name of [...left, ...stays]) fs.writeFileSync(join(folder, name), 'half')
    await writeArchiveFile(path, async () => content('x'), options)
    expect(fs.readdirSync(folder).sort()).to.deep.equal([...stays, 'a.tgz'].sort())
  })

  it('has a draft also where its own name is as long as names can be', async () => {
    const name = `${'\u4e2d'.repeat(83)}.tgz`
    expect(Buffer.byteLength(draftName(name, 'm'.repeat(12), 4_194_304))).to.be.at.most(255)
    await writeArchiveFile(join(folder, name), async () => content('x'), options)
    expect(fs.readdirSync(folder)).to.deep.equal([name])
  })

  it('is never a folder or a device, and lies in a folder that is there', async () => {
    const forced = { ...options, force: true }
    const write = (path: string): Promise<number> => writeArchiveFile(path, async () => content('x'), forced)
    await expectError(write(folder), 'invalid-argument')
    await expectError(write('/dev/null'), 'invalid-argument')
    await expectError(write(join(folder, 'missing/a.tgz')), 'not-found')
  })
})
