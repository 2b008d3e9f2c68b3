import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChaos, summaryLines } from '../chaos/chaos-run.ts'

describe('chaos', function () {
  this.timeout(600_000)
  let directory: string

  before(() => {
    directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-chaos-')))
  })
  // What a failed run leaves is kept: its logs say what happened.
  afterEach(function () {
    if (this.currentTest?.state === 'passed') fs.rmSync(directory, { recursive: true, force: true })
  })

  it('loses nothing acknowledged while processes die, stop, are cut off, run out of room, and packs rot', async () => {
    const said: string[] = []
    const report = await runChaos({ directory, seed: 7, durationMs: 16_000, say: (line) => said.push(line) })
    const { ledger } = report
    const story = [...said, ...summaryLines(report), `everything is in ${directory}`].join('\n')
    expect(ledger.violations, story).to.deep.equal([])
    expect(ledger.acknowledged.length, story).to.be.greaterThan(3)
    expect(ledger.snapshotsCompared, story).to.be.at.least(ledger.acknowledged.length - ledger.forgetting.size)
    expect(report.faults.size, story).to.be.at.least(6)
    expect(report.damaged.length, story).to.be.greaterThan(0)
  })
})
