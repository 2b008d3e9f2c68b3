import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TwofoldError } from '../core/errors.ts'
import { isAlone } from '../core/free-bytes.ts'
import { writingThreadsMax } from '../core/limits.ts'
import type { FileBatch } from './file-batch.ts'
import type { WritingAnswer, WritingOrder, WritingThreadData } from './writing-thread.ts'

/** Starts a thread; its script says what it is told and answers. */
export type StartThread = (data: WritingThreadData) => Worker

const script = new URL(import.meta.url.endsWith('.ts') ? './writing-thread.ts' : './writing-thread.js', import.meta.url)
export const startWritingThread: StartThread = (workerData) => new Worker(script, { workerData })

/** The main thread needs a processor, too, to take in and check chunks; more than a few wait for each other. */
export function writingThreadsDefault(processors = availableParallelism()): number {
  return Math.min(writingThreadsMax, Math.max(1, processors - 1))
}

/** Threads that write whole files. An order goes to the one that has least to do. */
export class WritingThreads {
  readonly #threads: Thread[]

  constructor(count: number, data: WritingThreadData, start: StartThread = startWritingThread) {
    this.#threads = Array.from(
      { length: count },
      (_, index) => new Thread(start({ ...data, mark: `${data.mark}${index}-` })),
    )
  }

  /**
   * Takes `content` away from its owner where it is alone in its memory, otherwise copies it.
   * @throws TwofoldError `internal` when the thread died.
   */
  write(content: Uint8Array, batch: FileBatch): Promise<WritingAnswer> {
    const idlest = this.#threads.reduce((best, thread) => (thread.waiting < best.waiting ? thread : best))
    return idlest.write({ content: isAlone(content) ? content : new Uint8Array(content), batch })
  }

  /** Resolves when all is written and the threads are gone. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }
}

interface Asker {
  resolve(answer: WritingAnswer): void
  reject(error: TwofoldError): void
}

class Thread {
  readonly #worker: Worker
  readonly #ended: Promise<void>
  readonly #askers: Asker[] = []
  #failure: TwofoldError | undefined

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (answer: WritingAnswer) => this.#askers.shift()?.resolve(answer))
    worker.on('error', (cause) => this.#fail(cause))
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve(this.#fail(undefined))))
  }

  get waiting(): number {
    return this.#askers.length
  }

  write(order: WritingOrder): Promise<WritingAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#askers.push({ resolve, reject })
      this.#worker.postMessage(order, [order.content.buffer as ArrayBuffer])
    })
  }

  close(): Promise<void> {
    this.#worker.postMessage(undefined)
    return this.#ended
  }

  #fail(cause: unknown): void {
    this.#failure ??= new TwofoldError('internal', 'a thread that writes files ended unexpectedly', { cause })
    for (const asker of this.#askers.splice(0)) asker.reject(this.#failure)
  }
}
