/**
 * `make sim-mutants`: takes one rule of the protocol away after the other and looks for a seed that notices. SEEDS
 * is how many each gets, ONLY names one or several (with commas between), JOBS is how many run at once.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { mutants } from './mutants.ts'
import type { Mutant } from './mutants.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const seeds = Number(process.env['SEEDS'] ?? 100)
const jobs = Number(process.env['JOBS'] ?? 1)
const only = process.env['ONLY']?.split(',')
const chosen = mutants.filter((mutant) => only?.includes(mutant.name) ?? true)
const longest = Math.max(...chosen.map(({ name }) => name.length))

interface Outcome {
  /** How many seeds it took; undefined when it survived. */
  readonly seeds: number | undefined
  readonly what: string
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program with a mutant, or without. */
async function run(program: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const hook = env['MUTANT'] === undefined ? [] : ['--import', path('mutate.ts')]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...hook, ...program], {
    env: { ...process.env, ...env },
  })
  const printed = { stdout: '', stderr: '' }
  child.stdout.on('data', (data: Buffer) => void (printed.stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => void (printed.stderr += data.toString()))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, ...printed }
}

/** The first seed that fails, with a mutant or without. */
async function firstFailure(name: string, env: Readonly<Record<string, string>>): Promise<Outcome> {
  const { status, stdout, stderr } = await run([path('main.ts')], { CHAOS: name, STOP: '1', JOBS: '1', ...env })
  const [, seed, what = ''] = /^seed (\d+) fails after \d+ ms: (.*)/m.exec(stdout) ?? []
  if (seed !== undefined) return { seeds: Number(seed), what }
  if (status !== 0) throw new Error(`${name} cannot be run: ${stderr}`)
  return { seeds: undefined, what: '' }
}

/** Whether a test fails that passes as long as the rule is there. */
async function noticedBy(test: string, name: string): Promise<boolean> {
  const mocha = [path('../../node_modules/mocha/bin/mocha.js'), path(`../${test}`)]
  const alone = await run(mocha, {})
  if (alone.status !== 0) throw new Error(`${test} fails without any mutant: ${alone.stdout}`)
  const { status, stdout, stderr } = await run(mocha, { MUTANT: name })
  // A mutant that cannot even be loaded says nothing.
  if (status !== 0 && !/^\d+ passed, [1-9]\d* failed/m.test(stdout)) throw new Error(`${name} cannot be run: ${stderr}`)
  return status !== 0
}

/** Seeds that fail without any mutant say nothing of one. */
async function judge({ name }: Mutant): Promise<Outcome> {
  for (let next = 1; next <= seeds;) {
    const outcome = await firstFailure(name, { MUTANT: name, FIRST: String(next), SEEDS: String(seeds - next + 1) })
    if (outcome.seeds === undefined) return outcome
    const alone = await firstFailure(name, { FIRST: String(outcome.seeds), SEEDS: '1' })
    if (alone.seeds === undefined) return outcome
    next = outcome.seeds + 1
  }
  return { seeds: undefined, what: '' }
}

const waiting = [...chosen]
const survivors: string[] = []

/** What became of a mutant, in words, and whether it was noticed. */
async function fateOf(mutant: Mutant): Promise<{ readonly noticed: boolean; readonly fate: string }> {
  const { name, test } = mutant
  if (test !== undefined) {
    const noticed = await noticedBy(test, name)
    return { noticed, fate: noticed ? `killed by ${test}` : `SURVIVES ${test}` }
  }
  const { seeds: taken, what } = await judge(mutant)
  if (taken === undefined) return { noticed: false, fate: `SURVIVES ${seeds} seeds` }
  return { noticed: true, fate: `killed by seed ${taken}, ${what.slice(0, 100)}` }
}

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const { noticed, fate } = await fateOf(mutant)
    if (!noticed) survivors.push(mutant.name)
    say(`${mutant.name.padEnd(longest)}  ${fate}`)
    say(`${''.padEnd(longest)}  ${mutant.rule}`)
  }
}
await Promise.all(Array.from({ length: jobs }, work))
say(`${chosen.length - survivors.length} of ${chosen.length} rules are noticed when they are missing`)
if (survivors.length > 0) say(`not noticed: ${survivors.join(', ')}`)
process.exitCode = survivors.length === 0 ? 0 : 1
