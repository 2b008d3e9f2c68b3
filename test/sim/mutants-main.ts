/**
 * `make sim-mutants`: takes one rule of the protocol away after the other and looks for a seed that notices. SEEDS
 * is how many each gets, ONLY names one.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { mutants } from './mutants.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const seeds = process.env['SEEDS'] ?? '100'
const only = process.env['ONLY']

let survivors = 0
for (const { name, rule } of mutants.filter((mutant) => only === undefined || mutant.name === only)) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', path('mutate.ts'), path('main.ts')],
    { env: { ...process.env, MUTANT: name, SEEDS: seeds, STOP: '1' }, encoding: 'utf8' },
  )
  const [found] = /seed \d+ fails .*/.exec(stdout) ?? []
  if (found === undefined && status !== 0) {
    throw new Error(`mutant ${name} cannot be run: ${stderr}`)
  }
  if (found === undefined) survivors += 1
  say(`${found === undefined ? 'SURVIVES' : 'killed  '} ${name}: ${rule}`)
  if (found !== undefined) say(`         ${found.slice(0, 160)}`)
}
say(survivors === 0 ? 'all rules are noticed when they are missing' : `${survivors} rules are not noticed`)
process.exitCode = survivors === 0 ? 0 : 1
