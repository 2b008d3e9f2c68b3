import { TwofoldError } from '../core/errors.ts'
import { asBuffer } from '../core/ids.ts'
import type { FileJob } from './restore-files.ts'
import type { RestoreTarget, TargetFile } from './restore-target.ts'

/** Stands in for a file that is written: reads what is there and compares. For verification. */
export class ComparedFile implements TargetFile {
  readonly #target: RestoreTarget
  readonly #job: FileJob

  constructor(target: RestoreTarget, job: FileJob) {
    this.#target = target
    this.#job = job
  }

  /** @throws TwofoldError `integrity` when something else is there. */
  async write(data: Uint8Array, offset: number): Promise<void> {
    const there = Buffer.allocUnsafe(data.length)
    const length = await this.#target.readFile(this.#job.names, there, offset)
    if (length < data.length || !there.equals(asBuffer(data))) {
      throw new TwofoldError('integrity', `what was written reads back differently near byte ${offset}`)
    }
  }

  async commit(): Promise<void> {
    const there = await this.#target.stat(this.#job.names)
    if (there?.type === 'file' && there.size === this.#job.entry.size) return
    throw new TwofoldError('integrity', 'the file that was written is gone or has another length')
  }

  async discard(): Promise<void> {
    // Nothing was made.
  }
}
