import { expect } from 'chai'
import { logBytesPerReply, logBytesRemembered, logEntriesPerReplyMax } from '../../../src/core/limits.ts'
import type { LogEntry } from '../../../src/core/model.ts'
import { openSqliteCatalogue } from '../../../src/manager/catalogue-sqlite.ts'
import type { Catalogue } from '../../../src/manager/catalogue.ts'
import { LogFeed } from '../../../src/manager/log-feed.ts'

/** A feed, and how often the catalogue below it was read. */
class CountedFeed {
  readonly source: Catalogue = openSqliteCatalogue(':memory:')
  readonly feed: LogFeed
  reads = 0

  constructor() {
    const { source } = this
    this.feed = new LogFeed({
      read: (work) => (this.reads++, source.read(work)),
      write: (work) => source.write(work),
      upkeep: () => source.upkeep(),
      healthy: () => source.healthy(),
      close: () => source.close(),
    })
  }

  append(entries: number, payloadBytes = 10, sequence?: number): Promise<void> {
    return this.feed.catalogue.write(async (tx) => {
      const hashes = { previousHash: Buffer.alloc(32, 1), hash: Buffer.alloc(32, 2) }
      const row = { ...hashes, kind: 'test', payload: Buffer.alloc(payloadBytes, 3) }
      for (let n = 0; n < entries; n++) await tx.log.append(sequence === undefined ? row : { ...row, sequence })
    })
  }

  /** All pages, as a node asks for them. */
  async pages(sequence = 0): Promise<(readonly LogEntry[])[]> {
    const pages: (readonly LogEntry[])[] = []
    for (let from = sequence; ;) {
      const page = await this.feed.after(from)
      if (page.length === 0) return pages
      pages.push(page)
      from = page.at(-1)?.sequence ?? Infinity
    }
  }
}

describe('the log as nodes are sent it', () => {
  it('is read once, however many nodes want it', async () => {
    const counted = new CountedFeed()
    await counted.append(3 * logEntriesPerReplyMax + 1)
    const first = await counted.pages()
    expect(first.map((page) => page.length)).to.deep.equal([...Array<number>(3).fill(logEntriesPerReplyMax), 1])
    expect(first.flat()).to.deep.equal(await counted.source.read((tx) => tx.log.after(0, 1000)))
    const { reads } = counted
    expect(await counted.pages()).to.deep.equal(first)
    expect((await counted.pages(5)).flat()).to.deep.equal(first.flat().slice(5))
    expect(await counted.feed.hashAt(200)).to.deep.equal(first.flat()[199]?.hash)
    expect(counted.reads).to.equal(reads)
  })

  it('has what was appended since, and what follows a gap', async () => {
    const counted = new CountedFeed()
    await counted.append(3)
    const before = await counted.pages()
    await counted.append(1)
    await counted.append(1, 10, 9)
    await counted.append(1)
    for (let node = 0; node < 2; node++) {
      const now = await counted.pages()
      expect(now.flat().map(({ sequence }) => sequence)).to.deep.equal([1, 2, 3, 4, 9, 10])
      expect(now.flat().slice(0, 3)).to.deep.equal(before.flat())
      expect((await counted.feed.after(9)).map(({ sequence }) => sequence)).to.deep.equal([10])
    }
    expect(counted.feed.knownHead?.sequence).to.equal(10)
  })

  it('does not have what was not committed', async () => {
    const counted = new CountedFeed()
    await counted.append(1)
    await counted.feed.head()
    const failed = counted.feed.catalogue.write(async (tx) => {
      await tx.log.append({
        previousHash: Buffer.alloc(32),
        hash: Buffer.alloc(32),
        kind: 'x',
        payload: Buffer.alloc(1),
      })
      throw new Error('no')
    })
    await failed.catch(() => undefined)
    expect(counted.feed.knownHead, 'the outcome of a write that failed may be unknown').to.equal(undefined)
    expect(await counted.pages()).to.have.length(1)
    expect((await counted.feed.head())?.sequence).to.equal(1)
  })

  it('comes in small answers, and is remembered up to a bound', async () => {
    const counted = new CountedFeed()
    const large = logBytesPerReply * 8
    await counted.append(2, large)
    expect((await counted.pages()).map((page) => page.length)).to.deep.equal([1, 1])
    await counted.append(Math.ceil(logBytesRemembered / large), large)
    await counted.pages(2)
    const { reads } = counted
    await counted.feed.after(0)
    expect(counted.reads).to.equal(reads + 1)
  })
})
