/**
 * `make sim`: runs seeds of the simulation and says what they found. SEEDS and FIRST choose them, SEED one alone,
 * TRACE=1 prints everything that happens, STOP=1 stops at the first failure, SHRINK=1 looks for a smaller case of each
 * and prints it as an entry for `regressions.ts`, JOBS=2 shares the seeds out to so many processes, CHAOS names a
 * mutant whose world the seeds are to have.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describeError } from '../../src/core/errors.ts'
import { mutants } from './mutants.ts'
import { drawProfile } from './profile.ts'
import { regressionOf } from './regressions.ts'
import { runSeed } from './run-seed.ts'
import { shrink } from './shrink.ts'
import { SimTotals, summaryOf } from './sim-totals.ts'
import type { SeedSummary } from './sim-totals.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const wanted = (name: string): boolean => process.env[name] === '1'

const only = process.env['SEED']
const first = only === undefined ? setting('FIRST', 1) : Number(only)
const seeds = only === undefined ? setting('SEEDS', 100) : 1
const jobs = only === undefined ? setting('JOBS', 1) : 1
/** Of a process that another one of these started: it takes every so manieth seed and tells the other one of each. */
const step = setting('SIM_STEP', 0)
const saidEvery = 1000
const chaos = mutants.find(({ name }) => name === process.env['CHAOS'])?.chaos ?? {}
// Of many seeds nobody reads where their errors came from, and finding that out takes time.
if (only === undefined) Error.stackTraceLimit = 0

async function runOne(seed: number): Promise<SeedSummary> {
  const before = process.cpuUsage()
  const profile = { ...drawProfile(seed), ...chaos }
  const result = await runSeed(seed, { profile, ...(wanted('TRACE') ? { onTrace: say } : {}) })
  const { user, system } = process.cpuUsage(before)
  const summary = summaryOf(result, (user + system) / 1000)
  if (only !== undefined) say(`seed ${seed}: ${result.events} events, hash ${result.hash}`)
  const { failure } = result
  if (failure === undefined) return summary
  if (only !== undefined) say(String(failure.stack))
  const problem = `seed ${seed} fails after ${Math.round(result.virtualMs)} ms: ${describeError(failure)}`
  if (!wanted('SHRINK')) return { ...summary, problem }
  return { ...summary, problem, smaller: await shrink(profile) }
}

function tell({ seed, problem, smaller }: SeedSummary): void {
  if (problem === undefined) return
  say(problem)
  if (only === undefined) say(`  repeat it with: make sim SEED=${seed} TRACE=1`)
  if (smaller !== undefined) say(regressionOf(smaller, problem))
}

/** Every `by`th seed, in this process. */
async function runHere(by: number, took: (summary: SeedSummary) => void): Promise<void> {
  for (let seed = first; seed < first + seeds; seed += by) {
    const summary = await runOne(seed)
    took(summary)
    if (summary.problem !== undefined && wanted('STOP')) return
  }
}

async function runThere(job: number, took: (summary: SeedSummary) => void): Promise<void> {
  const env = { ...process.env, FIRST: String(first + job), SEEDS: String(seeds - job), SIM_STEP: String(jobs) }
  const main = [...process.execArgv, fileURLToPath(import.meta.url)]
  const child = spawn(process.execPath, main, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close') as Promise<[number | null]>
  for await (const line of createInterface({ input: child.stdout })) took(JSON.parse(line) as SeedSummary)
  const [status] = await closed
  if (status !== 0) throw new Error(`a process of the simulation ended with ${status}`)
}

const totals = new SimTotals()
const took = (summary: SeedSummary): void => {
  totals.add(summary)
  tell(summary)
  if (totals.seeds % saidEvery === 0) say(totals.lines()[0] ?? '')
}
if (step > 0) {
  await runHere(step, (summary) => say(JSON.stringify(summary)))
} else {
  if (jobs > 1) await Promise.all(Array.from({ length: jobs }, (_, job) => runThere(job, took)))
  else await runHere(1, took)
  for (const line of totals.lines()) say(line)
  process.exitCode = totals.failing.length === 0 ? 0 : 1
}
