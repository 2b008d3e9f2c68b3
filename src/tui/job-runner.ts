import { TwofoldError, isTwofoldError, toTwofoldError } from '../core/errors.ts'
import type { Job, News } from './work.ts'

/** Does what a job says; `tell` is for news on the way. Aborting the signal ends it. */
export type PerformWork = (job: Job, options: { signal: AbortSignal; tell: (news: News) => void }) => Promise<void>

/** Has those jobs under way that the state names: begins new ones, ends cancelled ones, says when each is over. */
export class JobRunner {
  readonly #perform: PerformWork
  readonly #tell: (job: number, news: News) => void
  readonly #running = new Map<number, { controller: AbortController; over: Promise<void> }>()
  /** Ids only grow. One that is over may be named once more before the state has heard of its end. */
  #lastBegun = 0

  constructor(perform: PerformWork, tell: (job: number, news: News) => void) {
    this.#perform = perform
    this.#tell = tell
  }

  sync(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (job.id > this.#lastBegun) this.#begin(job)
      if (job.cancelled) this.#running.get(job.id)?.controller.abort(cancellation())
    }
  }

  /** Ends everything, and waits until it has. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { controller } of running) controller.abort(cancellation())
    await Promise.all(running.map(({ over }) => over))
  }

  #begin(job: Job): void {
    this.#lastBegun = job.id
    const controller = new AbortController()
    const over = this.#run(job, controller.signal)
    this.#running.set(job.id, { controller, over })
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    let problem: string | undefined
    let cancelled = false
    try {
      await this.#perform(job, { signal, tell: (news) => this.#tell(job.id, news) })
    } catch (error) {
      cancelled = signal.aborted || isTwofoldError(error, 'cancelled')
      if (!cancelled) problem = problemOf(error)
    }
    this.#running.delete(job.id)
    this.#tell(job.id, { kind: 'ended', work: job.work, problem, cancelled })
  }
}

/** Why a job ends before its work is done; histories show it. */
const cancellation = (): TwofoldError => new TwofoldError('cancelled', 'it was cancelled')

function problemOf(error: unknown): string {
  const { code, message, cause } = toTwofoldError(error)
  return code === 'internal' && cause instanceof Error ? `something unexpected failed: ${cause.message}` : message
}
