/** At most `permits` holders at once; those who wait are served in the order they came. */
export class Semaphore {
  #free: number
  readonly #waiting: { resume: () => void }[] = []

  constructor(permits: number) {
    this.#free = permits
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes a permit if one is free now. */
  tryAcquire(): boolean {
    if (this.#free === 0) return false
    this.#free -= 1
    return true
  }

  /** @throws the signal's reason when it is aborted before a permit was free. */
  async acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.tryAcquire()) return
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        resume: (): void => {
          signal?.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(waiter)
    })
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next.resume()
  }

  /** Runs `work` while holding a permit. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.acquire(signal)
    try {
      return await work()
    } finally {
      this.release()
    }
  }
}
