import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { LoopDelay } from './measurement.ts'

const preloaded = pathToFileURL(join(import.meta.dirname, 'report-loop-delay.js')).href
const lookAgainMs = 2
const answersWithinMs = 10_000

/** Asks servers that run in its `environment` how late their event loops were. */
export class LoopDelays {
  readonly #directory: string

  /** @param directory for what the servers answer; made when it is missing */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true })
    this.#directory = directory
  }

  get environment(): NodeJS.ProcessEnv {
    const options = `${process.env['NODE_OPTIONS'] ?? ''} --import=${preloaded}`.trim()
    return { NODE_OPTIONS: options, BENCH_LOOP_DELAYS: this.#directory }
  }

  /** Since the last time that this process was asked. @throws when it does not answer */
  async take(pid: number): Promise<LoopDelay> {
    const file = join(this.#directory, `${pid}.json`)
    process.kill(pid, 'SIGUSR2')
    for (const deadline = performance.now() + answersWithinMs; performance.now() < deadline;) {
      const answer = readIfThere(file)
      if (answer !== undefined) {
        rmSync(file)
        return JSON.parse(answer) as LoopDelay
      }
      await sleep(lookAgainMs)
    }
    throw new Error(`process ${pid} does not say how late its event loop was`)
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
