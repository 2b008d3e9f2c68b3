import { expect } from 'chai'
import { selectionOf } from '../../../../src/client/backup-targets.ts'
import { createExcludes } from '../../../../src/client/excludes.ts'
import { SourceLister } from '../../../../src/client/source-lister.ts'
import { SourceScan } from '../../../../src/client/source-scan.ts'
import { MemorySource } from '../../../support/memory-source.ts'

/** Counts what it was asked to list. */
class CountingSource extends MemorySource {
  readonly listed: string[] = []

  override async list(path: Uint8Array): ReturnType<MemorySource['list']> {
    this.listed.push(Buffer.from(path).toString())
    return super.list(path)
  }
}

function scanOf(source: MemorySource, patterns: string[] = []): SourceScan {
  const lister = new SourceLister(source, createExcludes({ patterns }))
  return new SourceScan({ source, lister, selection: selectionOf([Buffer.from('/src')]), oneFileSystem: false })
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('the scan of the source', () => {
  it('gives directories before what is in them, in the order of their names', async () => {
    const source = new MemorySource()
    for (const path of ['/src/b/z/1', '/src/a/y/1', '/src/b/x/1', '/other/1']) source.file(path, 'x')
    const scan = scanOf(source)
    const groups: string[][] = []
    for (let group = await scan.next(); group.length > 0; group = await scan.next()) {
      groups.push(group.map(({ place }) => Buffer.from(place.path).toString()))
    }
    expect(groups).to.deep.equal([['/'], ['/src'], ['/src/a', '/src/b'], ['/src/a/y', '/src/b/x', '/src/b/z']])
    expect(await scan.next()).to.deep.equal([])
  })

  it('begins at once, goes ahead of whoever takes its groups, and then waits', async () => {
    const source = new CountingSource()
    for (let number = 0; number < 2000; number++) source.directory(`/src/d${String(number).padStart(4, '0')}`)
    const scan = scanOf(source)
    await settle()
    const ahead = source.listed.length
    expect(ahead)
      .to.be.greaterThan(64)
      .and.lessThan(1 + 256 + 128 + 1)
    await scan.next()
    await scan.next()
    await settle()
    expect(source.listed.length)
      .to.be.greaterThan(ahead)
      .and.lessThan(1 + 3 * 256 + 128 + 1)
  })

  it('never lists what is left out', async () => {
    const source = new CountingSource()
    for (const path of ['/src/kept/1', '/src/cache/deep/1']) source.file(path, 'x')
    const scan = scanOf(source, ['cache'])
    while ((await scan.next()).length > 0);
    expect(source.listed).to.deep.equal(['/src', '/src/kept'])
  })

  it('reports what cannot be listed where it comes to it', async () => {
    const source = new MemorySource()
    source.directory('/src/bad').unreadable = true
    const scan = scanOf(source)
    await scan.next()
    await scan.next()
    const [bad] = await scan.next()
    expect(bad?.vanished).to.equal(false)
    expect(bad?.listing.count).to.equal(0)
    expect(bad?.reports).to.deep.equal([{ path: Buffer.from('/src/bad'), message: 'permission denied (EACCES)' }])
  })

  it('ends with what is no failure of a file', async () => {
    const source = new MemorySource()
    source.directory('/src')
    source.list = () => Promise.reject(new TypeError('a mistake'))
    const scan = scanOf(source)
    await scan.next()
    let thrown: unknown
    await scan.next().catch((error: unknown) => (thrown = error))
    expect(thrown).to.be.instanceOf(TypeError)
  })
})
