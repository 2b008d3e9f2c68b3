/**
 * A bounded queue between one producer that pushes and one consumer that iterates. `push` resolves when there is room
 * again, so back-pressure reaches the producer; a failure on either side reaches the other.
 */
export class Channel<T> implements AsyncIterable<T> {
  readonly #capacity: number
  readonly #items: T[] = []
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #consumerGone = false
  #wakeConsumer: (() => void) | undefined
  #wakeProducer: (() => void) | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** @returns false when the consumer has gone: pushing more is pointless. */
  async push(item: T): Promise<boolean> {
    if (this.#consumerGone || this.#ended) return false
    this.#items.push(item)
    this.#wakeConsumer?.()
    while (this.#items.length >= this.#capacity && !this.#consumerGone && this.#failure === undefined) {
      await new Promise<void>((resolve) => (this.#wakeProducer = resolve))
      this.#wakeProducer = undefined
    }
    return !this.#consumerGone
  }

  /** No more items; the consumer's iteration ends after the ones that are queued. */
  end(): void {
    this.#ended = true
    this.#wakeConsumer?.()
  }

  /** The consumer's iteration throws `error` at once. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wakeConsumer?.()
    this.#wakeProducer?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error
        if (this.#items.length > 0) {
          const item = this.#items.shift() as T
          this.#wakeProducer?.()
          yield item
        } else if (this.#ended) {
          return
        } else {
          await new Promise<void>((resolve) => (this.#wakeConsumer = resolve))
          this.#wakeConsumer = undefined
        }
      }
    } finally {
      this.#consumerGone = true
      this.#wakeProducer?.()
    }
  }
}
