import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoStrace } from '../chaos/crash-points.ts'
import type { CrashPoint } from '../chaos/crash-points.ts'
import { CrashSweep, spread } from '../chaos/crash-sweep-run.ts'
import { sweepScenarios } from '../chaos/sweep-scenarios.ts'

/** `make crash-sweep` tries all. These are the calls behind which another world is durable. */
const decisive = ['rename', 'fsync', 'fdatasync', 'unlink', 'ftruncate']
const pointsOfEach = 2

/** Where it is missing, the names of the tests say so, and the last line of the run counts them. */
const problem = whyNoStrace()
const note = problem === undefined ? '' : ` (SKIPPED: ${problem})`

describe(`a crash at a system call${note}`, function () {
  this.timeout(600_000)
  let directory: string

  before(() => {
    directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-sweep-')))
  })
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') fs.rmSync(directory, { recursive: true, force: true })
  })

  for (const scenario of sweepScenarios.filter(({ long }) => long !== true)) {
    it(`loses nothing: ${scenario.victim} in the ${scenario.name}`, async function () {
      if (problem !== undefined) this.skip()
      const said: string[] = []
      const choose = (points: readonly CrashPoint[]): CrashPoint[] =>
        spread(
          points.filter(({ call }) => decisive.includes(call)),
          pointsOfEach,
        )
      const report = await CrashSweep.run({ scenario, directory, choose, say: (line) => said.push(line) })
      const story = [...said, `everything is in ${directory}`].join('\n')
      expect(report.violations, story).to.deep.equal([])
      // A call or two may not come this time, because it came to other batches.
      expect(report.killed, story).to.be.at.least(pointsOfEach / 2)
      expect(report.compared, story).to.be.greaterThan(report.killed)
    })
  }
})
