import type { Clock } from '../core/clock.ts'
import { isTwofoldError, TwofoldError, toTwofoldError } from '../core/errors.ts'
import type { Session } from '../core/messages.ts'
import type { Random } from '../core/random.ts'
import type { ManagerApi } from './manager-api.ts'
import { persistently } from '../core/persistently.ts'

export interface SessionKeeperDeps {
  readonly manager: ManagerApi
  readonly clock: Clock
  readonly random: Random
}

/** Renews a session's lease at a third of it, until it is stopped or the session is lost. */
export class SessionKeeper {
  readonly #deps: SessionKeeperDeps
  readonly #session: Session
  readonly #onLost: (error: TwofoldError) => void
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #committing = false

  /** `onLost` is called at most once, when nothing of the session can be saved any more. */
  constructor(deps: SessionKeeperDeps, session: Session, onLost: (error: TwofoldError) => void) {
    this.#deps = deps
    this.#session = session
    this.#onLost = onLost
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /**
   * From now on the end of the session is no loss: its snapshot may be committed, although the answer that says so is
   * late or was lost. How it ended is told by the commit alone.
   */
  committing(): void {
    this.#committing = true
  }

  async stop(): Promise<void> {
    this.#stop.abort(new TwofoldError('cancelled', 'the session is kept no longer'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { manager, clock, random } = this.#deps
    const signal = this.#stop.signal
    let leaseMs = this.#session.leaseMs
    try {
      for (;;) {
        await clock.sleep(leaseMs / 3, signal)
        leaseMs = await persistently(() => manager.renewSession(this.#session, { signal }), { clock, random, signal })
      }
    } catch (error) {
      const over = this.#committing && isTwofoldError(error, 'session-ended')
      if (!signal.aborted && !over) this.#onLost(lost(error))
    }
  }
}

function lost(error: unknown): TwofoldError {
  if (!isTwofoldError(error, 'session-ended')) return toTwofoldError(error)
  const message =
    'the backup session was lost: the manager ended it, or did not hear from this client in time; run it again'
  return new TwofoldError('session-ended', message, { cause: error })
}
