/**
 * `make sim`: runs seeds of the simulation and says what they found. SEEDS and FIRST choose them, SEED one alone,
 * TRACE=1 prints everything that happens, STOP=1 stops at the first failure, SHRINK=1 looks for a smaller case of each.
 */
import { describeError } from '../../src/core/errors.ts'
import { drawProfile } from './profile.ts'
import { runSeed } from './run-seed.ts'
import { shrink } from './shrink.ts'
import { SimTotals } from './sim-totals.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const wanted = (name: string): boolean => process.env[name] === '1'

const only = process.env['SEED']
const first = only === undefined ? setting('FIRST', 1) : Number(only)
const seeds = only === undefined ? setting('SEEDS', 100) : 1

const totals = new SimTotals()
for (let seed = first; seed < first + seeds; seed++) {
  const result = await runSeed(seed, wanted('TRACE') ? { onTrace: say } : {})
  totals.add(result)
  if (only !== undefined) say(`seed ${seed}: ${result.events} events, hash ${result.hash}`)
  if (result.failure === undefined) continue
  say(`seed ${seed} fails after ${Math.round(result.virtualMs)} ms: ${describeError(result.failure)}`)
  say(only === undefined ? `  repeat it with: make sim SEED=${seed} TRACE=1` : String(result.failure.stack))
  if (wanted('SHRINK')) say(`  smaller: ${JSON.stringify(await shrink(drawProfile(seed)))}`)
  if (wanted('STOP')) break
}
for (const line of totals.lines()) say(line)
process.exitCode = totals.failed === 0 ? 0 : 1
