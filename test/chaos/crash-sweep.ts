/** `make crash-sweep`: a process is killed at every file-changing system call of what it does. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoStrace } from './crash-points.ts'
import { CrashSweep, spread } from './crash-sweep-run.ts'
import { sweepScenarios } from './sweep-scenarios.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(directory: string): Promise<boolean> {
  const wanted = (process.env['SCENARIO'] ?? '').split(',').filter((name) => name !== '')
  const most = Number(process.env['POINTS'] ?? Infinity)
  let well = true
  for (const scenario of sweepScenarios) {
    if (wanted.length > 0 && !wanted.includes(scenario.name)) continue
    const choose = <T>(points: readonly T[]): T[] => spread(points, most)
    const report = await CrashSweep.run({ scenario, directory: join(directory, scenario.name), choose, say })
    const { counted, tried, killed, retried, compared, violations } = report
    say(
      `${scenario.name}: ${counted} calls, ${tried} tried, ${killed} killed, ${retried} backups started again, ` +
        `${compared} restores compared, ${violations.length} violations`,
    )
    well &&= violations.length === 0 && killed > 0
  }
  return well
}

const problem = whyNoStrace()
if (problem !== undefined) {
  say(`SKIPPED: ${problem}`)
} else {
  const directory = fs.realpathSync(fs.mkdtempSync(join(process.env['CHAOS_DIR'] ?? tmpdir(), 'twofold-sweep-')))
  let well = false
  try {
    well = await main(directory)
  } finally {
    if (well) fs.rmSync(directory, { recursive: true, force: true })
    else say(`everything is in ${directory}`)
    process.exitCode = well ? 0 : 1
  }
}
