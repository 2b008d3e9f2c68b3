import { Semaphore } from '../core/semaphore.ts'

/** A bounded number of reusable objects, made when first needed; whoever wants one waits until one is free. */
export class ObjectPool<T> {
  readonly #free: T[] = []
  readonly #permits: Semaphore
  readonly #make: () => T

  constructor(most: number, make: () => T) {
    this.#permits = new Semaphore(most)
    this.#make = make
  }

  /** @throws the signal's reason when it is aborted first. */
  async take(signal: AbortSignal): Promise<T> {
    await this.#permits.acquire(signal)
    return this.#free.pop() ?? this.#make()
  }

  give(object: T): void {
    this.#free.push(object)
    this.#permits.release()
  }
}
