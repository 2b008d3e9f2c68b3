/**
 * Lets one waiting step at a time be broken off from outside. `Promise.race` against a promise that lives as long as a
 * stream would keep a reaction for every message.
 */
export class Interrupter {
  #interruption: Error | undefined
  #breakOff: ((error: Error) => void) | undefined

  /** The step that is waiting, and every later one, fails with `error`. Only the first interruption counts. */
  interrupt(error: Error): void {
    if (this.#interruption !== undefined) return
    this.#interruption = error
    this.#breakOff?.(error)
  }

  /** @throws the interruption when there was one. */
  check(): void {
    if (this.#interruption !== undefined) throw this.#interruption
  }

  /** `work`, unless the interruption comes first; then what becomes of `work` no longer matters. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#breakOff = reject
      work.then(resolve, reject)
      if (this.#interruption !== undefined) reject(this.#interruption)
    })
  }
}
