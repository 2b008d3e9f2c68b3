import { expect } from 'chai'
import { describeError } from '../../src/core/errors.ts'
import { regressions } from './regressions.ts'
import { runSeed } from './run-seed.ts'

const firstSeed = Number(process.env['FIRST'] ?? 1)
const seeds = Number(process.env['SEEDS'] ?? 200)
/** Every so many seeds one is run twice. */
const repeatEvery = 100

describe('simulation: whatever strikes', () => {
  it(`nothing acknowledged is lost, and in the end everything is in order, in ${seeds} seeds`, async function () {
    this.timeout(seeds * 20_000)
    let saved = 0
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const { failure, counts } = await runSeed(seed)
      if (failure !== undefined) {
        const repeat = `make sim SEED=${seed} TRACE=1`
        throw new Error(`seed ${seed}: ${describeError(failure)}; repeat it with ${repeat}`, { cause: failure })
      }
      saved += counts.saved
    }
    expect(saved, 'most backups go through').to.be.greaterThan(seeds * 2)
  })

  for (const { was, profile } of regressions) {
    it(`stays mended: ${was}`, async function () {
      const { failure } = await runSeed(profile.seed, { profile })
      if (failure !== undefined) throw new Error(describeError(failure), { cause: failure })
    })
  }

  it('happens in the same way again with the same seed', async function () {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += repeatEvery) {
      const [first, again] = [await runSeed(seed), await runSeed(seed)]
      expect(again.hash, `seed ${seed}`).to.equal(first.hash)
    }
    expect((await runSeed(firstSeed)).hash).not.to.equal((await runSeed(firstSeed + 1)).hash)
  })
})
