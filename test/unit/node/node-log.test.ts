import { expect } from 'chai'
import { logFilesMax } from '../../../src/core/limits.ts'
import { silentLogger } from '../../../src/core/logger.ts'
import type { LogEntry } from '../../../src/core/model.ts'
import { NodeLog } from '../../../src/node/node-log.ts'
import { TwofoldError } from '../../../src/core/errors.ts'
import { expectError } from '../../support/expect-error.ts'
import { chainOf, life, positionAt } from '../../support/log-chain.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { SimDisk } from '../../sim/sim-disk.ts'
import { memoryDisk } from './node-fixture.ts'
import type { MemoryDisk } from './node-fixture.ts'

const abc = chainOf(['a', 'b', 'c'])
const head = positionAt(abc[2])

async function all(log: NodeLog): Promise<LogEntry[]> {
  const entries = []
  for await (const entry of log.entries()) entries.push(entry)
  return entries
}

const sequences = async (log: NodeLog): Promise<number[]> => (await all(log)).map((entry) => entry.sequence)

describe("a node's log", () => {
  let disk: MemoryDisk
  beforeEach(() => {
    disk = memoryDisk()
  })
  const open = (): Promise<NodeLog> => NodeLog.open({ disk: disk.disk, logger: silentLogger })

  it('keeps entries and the newest position, also after a loss of power', async () => {
    const log = await open()
    await log.follow({}, head, abc)
    disk.below.crash()
    const again = await open()
    expect(again.report().log).to.deep.include({ sequence: 3 })
    expect(again.witnessed).to.deep.include({ sequence: 3, epoch: 1, life: life('a') })
    expect(await all(again)).to.deep.equal(abc)
  })

  it('goes on where it was, in another file, and puts many files together', async () => {
    const long = chainOf(Array.from({ length: logFilesMax + 5 }, (_, at) => `${at}`))
    for (const entry of long) {
      const log = await open()
      await log.follow(log.report(), positionAt(entry), [entry])
      await log.close()
    }
    const log = await open()
    expect(disk.below.files().filter((path) => path.startsWith('log/')).length).to.be.lessThan(logFilesMax)
    expect(await all(log)).to.deep.equal(long)
    expect(log.witnessed?.sequence).to.equal(long.length)
  })

  it('refuses entries that do not follow, and records nothing of them', async () => {
    const log = await open()
    await log.follow({}, positionAt(abc[0]), abc.slice(0, 1))
    const other = chainOf(['x', 'y'])
    await expectError(log.follow(log.report(), positionAt(other[1]), [other[1]!]), 'integrity')
    await expectError(log.follow(log.report(), head, [abc[2]!]), 'integrity')
    const forged = { ...abc[1]!, payload: Buffer.from('{"text":"forged"}') }
    await expectError(log.follow(log.report(), head, [forged]), 'integrity')
    expect(await sequences(log)).to.deep.equal([1])
    expect(log.witnessed?.sequence).to.equal(1)
  })

  it('starts over when the whole log comes, and keeps what it had', async () => {
    const log = await open()
    const other = chainOf(['a', 'x'])
    await log.follow({}, positionAt(other[1]), other)
    const recovered = chainOf([`recovery`], abc)
    await log.follow(log.report(), positionAt(recovered[3], { life: life('b'), epoch: 2 }), recovered)
    expect(await sequences(log)).to.deep.equal([1, 2, 1, 2, 3, 4])
    const again = await open()
    expect(again.report().log).to.deep.include({ sequence: 4 })
  })

  it('is read to the damage, and goes on from there', async () => {
    const log = await open()
    await log.follow({}, head, abc)
    await log.close()
    const file = await disk.disk.open('log/00000001.log')
    const bytes = Buffer.alloc(await file.length())
    await file.read(bytes, 0)
    await file.close()
    await disk.disk.remove('log/00000001.log')
    const torn = await disk.disk.create('log/00000001.log')
    await torn.write(bytes.subarray(0, 250), 0)
    await torn.close()
    const again = await open()
    expect(again.report().log).to.deep.include({ sequence: 2 })
    await again.follow(again.report(), head, abc.slice(2))
    expect(await sequences(await open())).to.deep.equal([1, 2, 3])
  })

  describe('statements of clients', () => {
    it('are recorded once the node follows that manager', async () => {
      const log = await open()
      await expectError(log.witness(head), 'unavailable')
      await log.follow({}, positionAt(abc[0]), abc.slice(0, 1))
      await log.witness(head)
      await log.witness(positionAt(abc[1]))
      disk.below.crash()
      expect((await open()).witnessed?.sequence).to.equal(3)
    })

    it('of an older catalogue are refused', async () => {
      const log = await open()
      await log.follow({}, head, abc)
      const other = chainOf(['a', 'b', 'x', 'y'])
      await expectError(log.witness(positionAt(other[3], { life: life('b') })), 'fenced')
      await expectError(log.witness(positionAt(other[2])), 'fenced')
      await expectError(log.witness(positionAt(other[3], { life: life('b'), epoch: 2 })), 'unavailable')
      expect(log.witnessed).to.deep.include({ sequence: 3, life: life('a') })
    })

    it('are not recorded by a disk that fails, which says so', async () => {
      let failed: unknown
      const log = await NodeLog.open({
        disk: disk.disk,
        logger: silentLogger,
        onFailure: (error) => (failed = error),
      })
      await log.follow({}, positionAt(abc[0]), abc.slice(0, 1))
      const broken = new TwofoldError('io', 'broken')
      disk.disk.fail('sync', broken)
      await expectError(log.witness(head), 'io')
      expect(failed).to.equal(broken)
      expect(log.witnessed?.sequence).to.equal(1)
    })
  })

  it('does not follow another manager when a statement came that it was not told of', async () => {
    const log = await open()
    await log.follow({}, positionAt(abc[0]), abc.slice(0, 1))
    const reported = log.report()
    await log.witness(head)
    await log.follow(reported, positionAt(abc[1], { life: life('b'), epoch: 2 }), [abc[1]!])
    expect(log.witnessed).to.deep.include({ sequence: 3, life: life('a') })
  })

  it('has everything that was acknowledged after a crash at any operation', async () => {
    let operations = Infinity
    const long = chainOf(Array.from({ length: logFilesMax + 3 }, (_, at) => `${at}`))
    for (let crashAt = 0; crashAt < operations; crashAt++) {
      let count = -Infinity
      const random = new SeededRandom(crashAt + 1)
      const sim = new SimDisk({
        random,
        capacityBytes: 1e9,
        before: () => {
          if (count++ === crashAt) throw new TwofoldError('io', 'power is lost')
          return Promise.resolve()
        },
      })
      let entries = 0
      let witnessed = 0
      // All but the last starts go well: with the last one the files are put together.
      const starts = logFilesMax + 3
      try {
        for (let start = 0; start < starts; start++) {
          if (start === starts - 2) count = 0
          const log = await NodeLog.open({ disk: sim, logger: silentLogger })
          const last = long[start]!
          await log.follow(log.report(), positionAt(last), [last])
          entries = start + 1
          await log.witness(positionAt(last, { sequence: last.sequence + 1 }))
          witnessed = last.sequence + 1
          await log.close()
        }
        operations = crashAt
      } catch (error) {
        if (!(error instanceof TwofoldError) || error.message !== 'power is lost') throw error
      }
      sim.crash()
      count = crashAt + 1
      const log = await NodeLog.open({ disk: sim, logger: silentLogger })
      expect(log.report().log?.sequence ?? 0, `crash at ${crashAt}`).to.be.at.least(entries)
      expect(log.witnessed?.sequence ?? 0, `crash at ${crashAt}`).to.be.at.least(witnessed)
    }
  })
})
