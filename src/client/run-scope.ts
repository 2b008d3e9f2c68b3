import { linkedController } from '../core/abort.ts'
import { TwofoldError } from '../core/errors.ts'

/** The work of one run: the first failure ends all of it, and is what the caller gets to see. */
export class RunScope {
  readonly #controller: AbortController
  readonly #release: () => void
  readonly #outer: AbortSignal | undefined

  constructor(outer: AbortSignal | undefined) {
    const { controller, release } = linkedController(outer)
    this.#controller = controller
    this.#release = release
    this.#outer = outer
  }

  /** Aborted, with the failure as its reason, as soon as anything failed or the caller gave up. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  fail(error: unknown): void {
    this.#controller.abort(error)
  }

  throwIfFailed(): void {
    this.signal.throwIfAborted()
  }

  /** Lets `work` run beside the rest; its failure ends the run. The promise that is given back never rejects. */
  background(work: Promise<unknown>): Promise<void> {
    return work.then(
      () => undefined,
      (error: unknown) => this.fail(error),
    )
  }

  /** What to throw after something threw `error`: the first failure, or `cancelled` when the caller gave up. */
  failure(error: unknown): unknown {
    if (this.#outer?.aborted === true && !(this.#outer.reason instanceof TwofoldError)) {
      return new TwofoldError('cancelled', 'it was cancelled; nothing was saved', { cause: this.#outer.reason })
    }
    return this.signal.aborted ? this.signal.reason : error
  }

  close(): void {
    this.#release()
  }
}
