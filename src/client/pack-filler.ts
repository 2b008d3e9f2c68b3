import { invariant } from '../core/errors.ts'
import { freeBytes } from '../core/free-bytes.ts'
import { PackWriter } from '../format/pack-writer.ts'
import type { SealedRecord } from '../format/record.ts'
import type { ObjectPool } from './object-pool.ts'
import type { PackUploader } from './pack-uploader.ts'
import type { RunScope } from './run-scope.ts'

export interface PackFillerDeps {
  readonly slabs: ObjectPool<Uint8Array>
  readonly uploader: PackUploader
  readonly scope: RunScope
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  /** Whether a pack is sent only after the one before it was committed: trees may refer to what it holds. */
  readonly serial: boolean
}

/** Puts records into packs and sends each as it is full. Memory is bounded by the pool of slabs. */
export class PackFiller {
  readonly #deps: PackFillerDeps
  readonly #sending = new Set<Promise<void>>()
  #sentBytes = 0
  #open: { readonly slab: Uint8Array; readonly writer: PackWriter } | undefined

  constructor(deps: PackFillerDeps) {
    this.#deps = deps
  }

  /** Length of all packs so far, the open one as if it ended now. */
  get storedBytes(): number {
    return this.#sentBytes + (this.#open?.writer.lengthBytes ?? 0)
  }

  /**
   * Resolves when the record was copied into a pack; one after the other, never two at once. The record's own memory is
   * given back.
   */
  async append(record: SealedRecord): Promise<void> {
    if (this.#open?.writer.append(record) !== true) {
      await this.#send()
      const slab = await this.#deps.slabs.take(this.#deps.scope.signal)
      this.#open = { slab, writer: new PackWriter(slab, this.#deps.vaultId) }
      invariant(this.#open.writer.append(record), 'every record fits into an empty pack')
    }
    if (record.ownsStored) freeBytes(record.stored)
  }

  /** Resolves when everything appended so far is committed. */
  async flush(): Promise<void> {
    await this.#send()
    await Promise.all(this.#sending)
    this.#deps.scope.throwIfFailed()
  }

  async #send(): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    if (this.#deps.serial) await Promise.all(this.#sending)
    this.#deps.scope.throwIfFailed()
    const pack = open.writer.finish()
    this.#sentBytes += pack.length
    const sent = this.#deps.scope.background(this.#deps.uploader.upload(pack))
    const done = sent.then(() => {
      this.#sending.delete(done)
      this.#deps.slabs.give(open.slab)
    })
    this.#sending.add(done)
  }
}
