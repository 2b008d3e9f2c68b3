import { expect } from 'chai'
import { isTwofoldError, TwofoldError } from '../../src/core/errors.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { diskContract } from '../contract/disk.contract.ts'
import { SimDisk } from './sim-disk.ts'

function freshDisk(seed = 1): SimDisk {
  const before = (): Promise<void> => Promise.resolve()
  return new SimDisk({ random: new SeededRandom(seed), capacityBytes: 1e9, before })
}

diskContract('simulated', () => Promise.resolve({ disk: freshDisk(), cleanup: () => Promise.resolve() }))

describe('a simulated disk that loses power', () => {
  async function write(disk: SimDisk, path: string, options: { sync: boolean }): Promise<void> {
    const file = await disk.create(path)
    await file.write(Buffer.from('content'), 0)
    if (options.sync) await file.sync()
    await file.close()
  }

  it('keeps what was synced with its directory', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = freshDisk(seed)
      await write(disk, 'a', { sync: true })
      await disk.rename('a', 'b')
      await disk.syncDirectory('')
      disk.crash()
      expect(disk.files()).to.deep.equal(['b'])
      expect(await (await disk.open('b')).length()).to.equal(7)
    }
  })

  it('may lose a rename whose directory was not synced, and may not', async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const disk = freshDisk(seed)
      await write(disk, 'a', { sync: true })
      await disk.syncDirectory('')
      await disk.rename('a', 'b')
      disk.crash()
      outcomes.add(disk.files().join())
    }
    expect([...outcomes].toSorted()).to.deep.equal(['a', 'b'])
  })

  it('keeps what was synced when it is overwritten or added to without another sync, but for a torn part', async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      const disk = freshDisk(seed)
      const file = await disk.create('a')
      await file.write(Buffer.from('content'), 0)
      await file.sync()
      await disk.syncDirectory('')
      await file.write(Buffer.from('s, new'), 7)
      await file.write(Buffer.from('CO'), 0)
      disk.crash()
      const left = Buffer.alloc(13)
      const length = await (await disk.open('a')).read(left, 0)
      outcomes.add(left.toString('latin1', 0, length))
    }
    const [before, after] = ['content', 'COntents, new']
    const possible = Array.from(after, (_, kept) => after.slice(0, kept + 1) + before.slice(kept + 1))
    expect([before, ...possible]).to.include.members([...outcomes])
    expect([...outcomes]).to.include.members([before, after])
  })

  it('may tear a file that was not synced', async () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const disk = freshDisk(seed)
      await write(disk, 'a', { sync: false })
      await disk.syncDirectory('')
      disk.crash()
      lengths.add(await (await disk.open('a')).length())
    }
    expect(lengths.size).to.be.greaterThan(2)
    expect(Math.min(...lengths)).to.be.lessThan(7)
  })

  it('writes nothing of what a failed sync was to write, though it is seen and a second sync works', async () => {
    const disk = new SimDisk({
      random: new SeededRandom(3),
      capacityBytes: 1e9,
      before: async (operation) => {
        if (operation === 'sync' && failing.pop() !== undefined) throw new TwofoldError('io', 'a bad disk')
      },
    })
    const failing = [true]
    const file = await disk.create('a')
    await disk.syncDirectory('')
    await file.write(Buffer.from('content'), 0)
    const failure = await file.sync().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(isTwofoldError(failure, 'io')).to.equal(true)
    await file.sync()
    expect(Buffer.from(disk.content('a', 'seen')!).toString()).to.equal('content')
    expect(disk.content('a', 'durable')!.length).to.equal(0)
  })
})
