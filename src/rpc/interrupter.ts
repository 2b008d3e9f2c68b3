/**
 * Lets one waiting step at a time be broken off from outside. `Promise.race` against a promise that lives as long as a
 * stream would keep a reaction for every message.
 */
export class Interrupter {
  #interruption: { readonly error: unknown } | undefined
  #breakOff: ((error: unknown) => void) | undefined

  /** The step that is waiting, and every later one, fails with `error`. Only the first interruption counts. */
  interrupt(error: unknown): void {
    if (this.#interruption !== undefined) return
    this.#interruption = { error }
    this.#breakOff?.(error)
  }

  /** @throws the interruption when there was one. */
  check(): void {
    if (this.#interruption !== undefined) throw this.#interruption.error
  }

  /** `work`, unless the interruption comes first; then what becomes of `work` no longer matters. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#breakOff = reject
      work.then(resolve, reject)
      if (this.#interruption !== undefined) reject(this.#interruption.error as Error)
    })
  }
}
