import type { Clock } from '../core/clock.ts'
import { TwofoldError, describeError, isTwofoldError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { Interrupter } from './interrupter.ts'
import type { ServerCall } from './server-call.ts'
import { isUnexpected, toStatus } from './status.ts'
import type { WireStatus } from './status.ts'
import type { WindowShares } from './window-shares.ts'

/** What handlers get from the server that they are mounted on. */
export interface HandlerEnvironment {
  readonly logger: Logger
  readonly clock: Clock
  /** How long a stream may stand still because of the caller, in milliseconds. */
  readonly idleMs: number
  /** The calls in progress; the server stops them when it shuts down. */
  readonly running: Set<RunningCall>
  /** Where streams of requests are counted in, on servers where these share windows. */
  readonly windows?: WindowShares | undefined
}

/** What a handler knows of its call. */
export interface CallContext {
  /** Aborted when the caller gives up or vanishes, the deadline passes, or the server stops. */
  readonly signal: AbortSignal
  /** When the caller stops waiting, in milliseconds since the epoch; undefined when it did not say. */
  readonly deadline: number | undefined
  /** Address of the caller, for logs. */
  readonly peer: string
}

function deadlineOf(call: ServerCall): number | undefined {
  const deadline = Number(call.getDeadline())
  return Number.isFinite(deadline) ? deadline : undefined
}

/** One call in progress on a server: what stops it, and how its failure is reported. */
export class RunningCall {
  /** Whether it goes on for as long as its caller does: a server that shuts down does not wait for its end. */
  readonly standing: boolean
  readonly turn = new Interrupter()
  readonly context: CallContext
  readonly #controller = new AbortController()
  readonly #environment: HandlerEnvironment
  readonly #path: string
  #stopped: TwofoldError | undefined
  #finished = false

  constructor(call: ServerCall, environment: HandlerEnvironment, { standing = false } = {}) {
    this.standing = standing
    this.#environment = environment
    this.#path = call.getPath()
    this.context = { signal: this.#controller.signal, deadline: deadlineOf(call), peer: call.getPeer() }
    environment.running.add(this)
    call.once('cancelled', () => {
      // grpc-js says so of calls that are over, too, and an error is expensive to make.
      if (!this.#finished) this.stop(new TwofoldError('cancelled', 'the caller gave up or went away'))
    })
  }

  /** Breaks the call off: its signal is aborted and its caller, if it is still there, is told `reason`. */
  stop(reason: TwofoldError): void {
    if (this.#finished || this.#stopped !== undefined) return
    this.#stopped = reason
    this.#controller.abort(reason)
    this.turn.interrupt(reason)
  }

  /** The handler is through; what happens to the call from now on is grpc-js's business. */
  finish(): void {
    this.#finished = true
    this.#environment.running.delete(this)
  }

  /** What the caller is told of a failure; the log is told the rest. */
  report(error: unknown): WireStatus {
    const { logger } = this.#environment
    const fields = { call: this.#path, peer: this.context.peer, error }
    if (isUnexpected(error)) logger.error('a call failed unexpectedly', fields)
    else if (isTwofoldError(error, 'io', 'integrity')) logger.warn('a call failed', fields)
    else logger.debug('a call was refused', { ...fields, error: describeError(error) })
    // What the handler threw after it was stopped is only the echo of that.
    return toStatus(this.#stopped ?? error)
  }
}
