interface Waiter {
  readonly bytes: number
  readonly resume: () => void
}

/**
 * At most `bytes` in use at once; those who wait are served in the order they came. A share larger than all is given
 * when nothing else is in use. Who holds one must not wait for another of the same budget.
 */
export class ByteBudget {
  readonly #bytes: number
  readonly #waiting: Waiter[] = []
  #used = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  get usedBytes(): number {
    return this.#used
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes the share if nobody waits and there is room now. */
  tryAcquire(bytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return false
    this.#used += bytes
    return true
  }

  /** @throws the signal's reason when it is aborted before there was room; then nothing is taken. */
  async acquire(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.tryAcquire(bytes)) return
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal?.reason as Error)
        // Smaller ones may have waited behind it.
        this.#serve()
      }
      const resume = (): void => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const waiter: Waiter = { bytes, resume }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(waiter)
    })
  }

  release(bytes: number): void {
    this.#used -= bytes
    this.#serve()
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#bytes
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#used += next.bytes
      next.resume()
    }
  }
}

/** The slices, each within the budget from when it is handed out until the next one is asked for. */
export async function* withinBudget(
  slices: AsyncIterable<Uint8Array>,
  budget: ByteBudget,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const slice of slices) {
    const { length } = slice
    await budget.acquire(length, signal)
    try {
      yield slice
    } finally {
      budget.release(length)
    }
  }
}
