import { Semaphore } from '../core/semaphore.ts'

/** Work that goes on beside whoever starts it, a bounded number of pieces at once. */
export class ConcurrentWork {
  readonly #permits: Semaphore
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(most: number) {
    this.#permits = new Semaphore(most)
  }

  /** Starts `work` as soon as there is room, and does not wait for its end. @throws what earlier work threw. */
  async start(work: () => Promise<void>): Promise<void> {
    await this.#permits.acquire()
    if (this.#failure !== undefined) {
      this.#permits.release()
      throw this.#failure.error
    }
    const running = work()
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => {
        this.#running.delete(running)
        this.#permits.release()
      })
    this.#running.add(running)
  }

  /** Resolves when nothing goes on any more. @throws what any of it threw. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
