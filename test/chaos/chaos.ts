/** `make chaos MINUTES=10 SEED=7`: faults without end on real processes, and what was acknowledged afterwards. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChaos, summaryLines } from './chaos-run.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

function numberOf(name: string, otherwise: number): number {
  const given = process.env[name] ?? ''
  if (given === '') return otherwise
  const value = Number(given)
  if (!(value > 0)) throw new Error(`${name} is to be a number above 0, not ${given}`)
  return value
}

const minutes = numberOf('MINUTES', 1)
const seed = numberOf('SEED', 1 + Math.floor(Math.random() * 1_000_000))
const directory = fs.realpathSync(fs.mkdtempSync(join(process.env['CHAOS_DIR'] ?? tmpdir(), 'twofold-chaos-')))
say(`chaos for ${minutes} min with seed ${seed} in ${directory}`)
let kept = true
try {
  const report = await runChaos({ directory, seed, durationMs: minutes * 60_000, say })
  for (const line of summaryLines(report)) say(line)
  kept = report.ledger.violations.length > 0
} finally {
  if (kept) say(`everything is in ${directory}`)
  else fs.rmSync(directory, { recursive: true, force: true })
  process.exitCode = kept ? 1 : 0
}
