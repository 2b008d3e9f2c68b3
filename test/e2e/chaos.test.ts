import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChaos, summaryLines } from '../chaos/chaos-run.ts'

describe('chaos', function () {
  this.timeout(600_000)
  let directory: string
  const story: string[] = []

  before(() => {
    directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'twofold-chaos-')))
  })
  // What a failed run leaves is kept: its logs say what happened.
  afterEach(function () {
    if (this.currentTest?.state === 'passed') fs.rmSync(directory, { recursive: true, force: true })
    else process.stdout.write(`${[...story, `everything is in ${directory}`].join('\n')}\n`)
  })

  it('loses nothing acknowledged while processes die, stop, are cut off, run out of room, and packs rot', async () => {
    const report = await runChaos({ directory, seed: 7, durationMs: 16_000, say: (line) => story.push(line) })
    const { ledger } = report
    story.push(...summaryLines(report))
    expect(ledger.violations, ledger.violations.join('; ')).to.deep.equal([])
    expect(ledger.acknowledged.length, 'snapshots acknowledged').to.be.greaterThan(3)
    const kept = ledger.acknowledged.length - ledger.forgetting.size
    expect(ledger.snapshotsCompared, 'snapshots compared').to.be.at.least(kept)
    expect(report.faults.size, 'kinds of faults').to.be.at.least(6)
    expect(report.damaged.length, 'packs damaged').to.be.greaterThan(0)
  })
})
