import { Worker } from 'node:worker_threads'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import type { ListingAnswer, ListingQuestion } from './listing-thread.ts'
import { PackedListing } from './packed-listing.ts'
import { SourceDisk } from './source-disk.ts'

interface Asked {
  readonly path: Uint8Array
  readonly resolve: (listing: PackedListing | Promise<PackedListing>) => void
  readonly reject: (error: unknown) => void
}

/**
 * The file systems of this machine, listed by a thread of its own: the system calls of a listing, and the garbage that
 * they make, then take no time from whoever compares and saves. Without the thread, because it was given back or died,
 * it lists by itself.
 */
export class SourceThreaded extends SourceDisk {
  #worker: Worker | undefined
  readonly #asked = new Map<number, Asked>()
  #questions: ListingQuestion[] = []
  #lastId = 0

  constructor(clock: Pick<Clock, 'yield'>) {
    super(clock)
    // The same kind of file as this one: compiled or not.
    const worker = new Worker(new URL(import.meta.url.replace('source-threaded', 'listing-thread')))
    worker.on('message', (answers: readonly ListingAnswer[]) => this.#take(answers))
    worker.on('error', () => this.#leave())
    worker.on('exit', () => this.#leave())
    worker.unref()
    this.#worker = worker
  }

  override async list(path: Uint8Array): Promise<PackedListing> {
    if (this.#worker === undefined) return super.list(path)
    const { promise, resolve, reject } = Promise.withResolvers<PackedListing>()
    const id = ++this.#lastId
    this.#asked.set(id, { path, resolve, reject })
    // As long as an answer is due, the process must not end.
    this.#worker.ref()
    // What is asked in one go is sent in one message.
    if (this.#questions.push({ id, path }) === 1) queueMicrotask(() => this.#send())
    return promise
  }

  async giveBackThreads(): Promise<void> {
    const worker = this.#worker
    this.#leave()
    await worker?.terminate()
  }

  #send(): void {
    this.#worker?.postMessage(this.#questions)
    this.#questions = []
  }

  #take(answers: readonly ListingAnswer[]): void {
    for (const { id, result } of answers) {
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if ('words' in result) asked?.resolve(new PackedListing(result))
      else asked?.reject(new TwofoldError(result.code, result.message, { cause: result.cause }))
    }
    if (this.#asked.size === 0) this.#worker?.unref()
  }

  /** What the thread still owes is listed here. */
  #leave(): void {
    this.#worker = undefined
    for (const { path, resolve } of this.#asked.values()) resolve(super.list(path))
    this.#asked.clear()
  }
}
