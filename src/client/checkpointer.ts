import type { Clock } from '../core/clock.ts'
import { isTwofoldError } from '../core/errors.ts'
import type { ChunkId } from '../core/ids.ts'
import { checkpointPauseFactor, checkpointRetryMs } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { GracefulStop } from './graceful-stop.ts'
import type { RunScope } from './run-scope.ts'

export interface CheckpointerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: RunScope
  readonly stop: GracefulStop
  /** How long it waits after each; longer when one takes long, unless somebody chose this. */
  readonly intervalMs: number
  readonly chosen: boolean
  /** Stores what is finished as a tree; undefined when that is nothing. */
  readonly store: () => Promise<ChunkId | undefined>
  /** Commits the tree and all below it, and has the manager remember it. */
  readonly save: (tree: ChunkId) => Promise<void>
  readonly onSavedAtStop: () => void
}

/**
 * Saves now and then how far a backup is, and once more when it is asked to stop. A checkpoint that cannot be saved is
 * no reason to end the backup.
 */
export class Checkpointer {
  readonly #deps: CheckpointerDeps
  #nextMs: number
  #left = false

  constructor(deps: CheckpointerDeps) {
    this.#deps = deps
    this.#nextMs = deps.clock.monotonicMs() + deps.intervalMs
  }

  /** To be asked between two files. */
  get due(): boolean {
    return this.#deps.stop.asked || this.#deps.clock.monotonicMs() >= this.#nextMs
  }

  /** After something ended the walk: when that was a stop in the middle of a file, the rest is still to be saved. */
  async leave(): Promise<void> {
    if (this.#deps.stop.asked && !this.#left && !this.#deps.scope.signal.aborted) await this.run()
  }

  /** @throws the reason for which the backup was asked to stop, after saving, and what ends the backup anyway */
  async run(): Promise<void> {
    const { clock, stop, intervalMs, chosen } = this.#deps
    const begunMs = clock.monotonicMs()
    this.#left ||= stop.asked
    const saved = await this.#save()
    if (saved && stop.asked) this.#deps.onSavedAtStop()
    stop.throwIfAsked()
    const nowMs = clock.monotonicMs()
    const tookMs = nowMs - begunMs
    const pauseMs = chosen ? intervalMs : Math.max(intervalMs, tookMs * checkpointPauseFactor)
    this.#nextMs = nowMs + (saved ? pauseMs : Math.min(pauseMs, checkpointRetryMs))
  }

  async #save(): Promise<boolean> {
    const { scope, logger, store, save } = this.#deps
    const tree = await store()
    if (tree === undefined) return false
    try {
      await save(tree)
      return true
    } catch (error) {
      scope.throwIfFailed()
      if (!isTwofoldError(error) || error.code === 'session-ended' || error.code === 'internal') throw error
      logger.warn('no checkpoint was saved; the backup goes on without', { error })
      return false
    }
  }
}
