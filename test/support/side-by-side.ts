/**
 * `make test`: two runs of mocha at once, because most tests use one processor. What needs processes, ports or disks of
 * its own is in the first, one after the other; what only computes is in the second. Every test is in one of them.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { addCounts, countedIn, describeCounts, isCount } from './test-counts.ts'

const onTheSystem = ['test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts']
const lanes = [
  { name: 'processes, sockets, disks', args: onTheSystem },
  {
    name: 'units, contracts, tidiness, simulation',
    args: ['test/**/*.test.ts', ...onTheSystem.flatMap((glob) => ['--ignore', glob])],
  },
] as const

interface Result {
  readonly lines: readonly string[]
  /** As of a process. */
  readonly code: number
}

/** How long a run's output may stay open after its end, in ms. */
const leaveMs = 60_000

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Runs mocha to its end. */
async function run(args: readonly string[], onLine: (line: string) => void): Promise<Result> {
  const mocha = ['node_modules/mocha/bin/mocha.js', ...(process.stdout.isTTY ? ['--color'] : [])]
  const child = spawn(process.execPath, [...mocha, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = (): void => void child.kill('SIGTERM')
  process.once('SIGTERM', stop)
  const lines: string[] = []
  const read = async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const line of createInterface({ input: stream })) {
      lines.push(line)
      if (!isCount(line)) onLine(line)
    }
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
    child.once('exit', () => {
      const left = setTimeout(() => {
        onLine('a process that a test started is still running, and holds the output')
        child.stdout.destroy()
        child.stderr.destroy()
        resolve(1)
      }, leaveMs)
      child.once('close', () => clearTimeout(left))
    })
  })
  await Promise.all([read(child.stdout), read(child.stderr)])
  const code = await ended
  process.off('SIGTERM', stop)
  return { lines, code }
}

// The first is shown as it goes on; the other one, which would be in between, when it is over.
const [first, second] = lanes
say(`${first.name}; beside them, and shown afterwards: ${second.name}`)
const held: string[] = []
const [shown, hidden] = await Promise.all([
  run(first.args, say),
  run(second.args, (line) => held.push(line)).then((result) => {
    say(`\n  (meanwhile, ${second.name}: ${describeCounts(countedIn(result)).at(-1)})\n`)
    return result
  }),
])
for (const line of [`\n${second.name}`, ...held]) say(line)
const total = addCounts(countedIn(shown), countedIn(hidden))
for (const line of describeCounts(total)) say(line)
process.exitCode = total.failed > 0 ? 1 : 0
