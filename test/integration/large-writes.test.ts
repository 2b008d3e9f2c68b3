import { expect } from 'chai'
import fc from 'fast-check'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LargeWrites } from '../../src/client/large-writes.ts'
import type { WriteWay } from '../../src/client/write-ways.ts'
import { systemClock } from '../../src/system/clock.ts'
import { SeededRandom } from '../support/seeded-random.ts'

const { O_DIRECT, O_WRONLY } = fs.constants

/** Goes the ways that it is told, in turns, and notes what it hears. */
class GivenWays {
  readonly #ways: readonly WriteWay[]
  readonly taken: WriteWay[] = []
  refused = false

  constructor(ways: readonly WriteWay[]) {
    this.#ways = ways
  }

  next(): WriteWay {
    return this.#ways[this.taken.length % this.#ways.length] ?? 'cached'
  }

  took(way: WriteWay): void {
    this.taken.push(way)
  }

  refuse(): void {
    this.refused = true
  }
}

describe('long slices of a file', () => {
  let directory: string
  beforeEach(() => (directory = fs.mkdtempSync(join(tmpdir(), 'twofold-large-'))))
  afterEach(() => fs.rmSync(directory, { recursive: true }))

  /** Writes the content in slices that end at these places, perhaps backwards. @returns what is in the file */
  const written = async (
    content: Uint8Array,
    { ends, backwards }: { ends: readonly number[]; backwards: boolean },
    { ways, memory, hasDirect = true }: { ways: GivenWays; memory?: () => Uint8Array; hasDirect?: boolean },
  ): Promise<Buffer> => {
    const path = join(directory, 'file')
    const cached = fs.openSync(path, 'w+')
    fs.ftruncateSync(cached, content.length)
    let around: number | undefined
    const direct = (): number | undefined => {
      if (hasDirect) around ??= openAround(path)
      return around
    }
    try {
      const writes = new LargeWrites({ clock: systemClock, ways, memory })
      const slices = [...ends, content.length].map((end, at) => ({ start: ends[at - 1] ?? 0, end }))
      for (const { start, end } of backwards ? slices.reverse() : slices) {
        await writes.write({ cached, direct }, content.subarray(start, end), start)
      }
      return fs.readFileSync(path)
    } finally {
      fs.closeSync(cached)
      if (around !== undefined) fs.closeSync(around)
    }
  }

  it('are all in it, whichever way each goes, in any order', async () => {
    const cuts = fc.record({
      ends: fc.uniqueArray(fc.integer({ min: 1, max: 3_000_000 }), { maxLength: 12 }),
      backwards: fc.boolean(),
      length: fc.integer({ min: 3_000_001, max: 3_100_000 }),
      ways: fc.array(fc.constantFrom<WriteWay>('cached', 'direct'), { minLength: 1, maxLength: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(cuts, fc.nat(), async ({ ends, backwards, length, ways }, seed) => {
        const content = new SeededRandom(seed).bytes(length)
        const order = { ends: ends.sort((a, b) => a - b), backwards }
        const given = new GivenWays(ways)
        expect((await written(content, order, { ways: given })).equals(content)).to.equal(true)
        expect(given.taken).to.have.length(ends.length + 1)
      }),
      { numRuns: 60 },
    )
  })

  const content = new SeededRandom(3).bytes(2_500_001)
  const order = { ends: [700_000, 1_900_000], backwards: false }

  it('are in it where the file system has no way around the cache, and that is told', async () => {
    const ways = new GivenWays(['direct'])
    expect((await written(content, order, { ways, hasDirect: false })).equals(content)).to.equal(true)
    expect(ways.refused).to.equal(true)
  })

  it('are in it where the disk does not take them so', async () => {
    const crooked = (): Uint8Array => new Uint8Array(new ArrayBuffer(1_048_584), 8)
    const ways = new GivenWays(['direct'])
    expect((await written(content, order, { ways, memory: crooked })).equals(content)).to.equal(true)
  })

  it('end with the system’s error when they cannot be written', async () => {
    const path = join(directory, 'read only')
    fs.writeFileSync(path, content)
    const descriptor = fs.openSync(path, 'r')
    const writes = new LargeWrites({ clock: systemClock, ways: new GivenWays(['direct', 'cached']) })
    try {
      const file = { cached: descriptor, direct: () => descriptor }
      const error: unknown = await writes.write(file, content, 0).catch((reason: unknown) => reason)
      expect((error as NodeJS.ErrnoException).code).to.equal('EBADF')
    } finally {
      fs.closeSync(descriptor)
    }
  })
})

/** Undefined on a file system that has no such way. */
function openAround(path: string): number | undefined {
  try {
    return fs.openSync(path, O_WRONLY | O_DIRECT)
  } catch {
    return undefined
  }
}
