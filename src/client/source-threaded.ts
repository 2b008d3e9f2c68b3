import { Worker } from 'node:worker_threads'
import { TwofoldError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { ListingAnswer, ListingQuestion } from './listing-thread.ts'
import { PackedListing } from './packed-listing.ts'
import { SourceDisk } from './source-disk.ts'

/** A thread beside this one, and what it was asked. */
interface Asked {
  readonly resolve: (listing: PackedListing) => void
  readonly reject: (error: unknown) => void
}

/**
 * The file systems of this machine, listed by a thread of its own: the system calls of a listing, and the garbage that
 * they make, then take no time from whoever compares and saves. `close` ends the thread.
 */
export class SourceThreaded extends SourceDisk {
  readonly #worker: Worker
  readonly #asked = new Map<number, Asked>()
  #questions: ListingQuestion[] = []
  #lastId = 0
  #failure: unknown

  constructor(clock: Pick<Clock, 'yield'>) {
    super(clock)
    // The same kind of file as this one: compiled or not.
    this.#worker = new Worker(new URL(import.meta.url.replace('source-threaded', 'listing-thread')), { stdin: false })
    this.#worker.on('message', (answers: readonly ListingAnswer[]) => this.#take(answers))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new TwofoldError('cancelled', 'the source is closed')))
    this.#worker.unref()
  }

  override async list(path: Uint8Array): Promise<PackedListing> {
    if (this.#failure !== undefined) throw this.#failure as Error
    const { promise, resolve, reject } = Promise.withResolvers<PackedListing>()
    const id = ++this.#lastId
    this.#asked.set(id, { resolve, reject })
    // As long as an answer is due, the process must not end.
    this.#worker.ref()
    // What is asked in one go is sent in one message.
    if (this.#questions.push({ id, path }) === 1) queueMicrotask(() => this.#send())
    return promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #send(): void {
    this.#worker.postMessage(this.#questions)
    this.#questions = []
  }

  #take(answers: readonly ListingAnswer[]): void {
    for (const { id, result } of answers) {
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if ('words' in result) asked?.resolve(new PackedListing(result))
      else asked?.reject(new TwofoldError(result.code, result.message, { cause: result.cause }))
    }
    if (this.#asked.size === 0) this.#worker.unref()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const { reject } of this.#asked.values()) reject(this.#failure)
    this.#asked.clear()
  }
}
