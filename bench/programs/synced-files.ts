import * as fs from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packBytesTarget, packsInFlight } from '../../src/core/limits.ts'

const sync = promisify(fs.fdatasync)

/** Bytes one after the other into files as long as a pack. Each file is synced while the next ones are written. */
export class SyncedFiles {
  readonly #directory: string
  readonly #syncs: Promise<void>[] = []
  #file: number | undefined
  #fileBytes = 0
  #count = 0

  /** @param directory for the files; made when it is missing */
  constructor(directory: string) {
    fs.mkdirSync(directory, { recursive: true })
    this.#directory = directory
  }

  /** Resolves at once, unless too many files are not on the disk yet. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#file ??= fs.openSync(join(this.#directory, String(this.#count++)), 'wx')
    // Into the page cache, which is faster than a way through another thread.
    for (let done = 0; done < bytes.length;) done += fs.writeSync(this.#file, bytes, done)
    this.#fileBytes += bytes.length
    if (this.#fileBytes >= packBytesTarget) this.#endFile()
    if (this.#syncs.length >= packsInFlight) await this.#syncs.shift()
  }

  /** Resolves when everything is on the disk. */
  async finish(): Promise<void> {
    this.#endFile()
    await Promise.all(this.#syncs)
  }

  #endFile(): void {
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    this.#fileBytes = 0
    const synced = sync(file).finally(() => fs.closeSync(file))
    // Whoever waits for it later gets the error.
    synced.catch(() => undefined)
    this.#syncs.push(synced)
  }
}
