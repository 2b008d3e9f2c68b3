import type { Disk, DiskFile } from '../core/disk.ts'
import { TwofoldError, isTwofoldError } from '../core/errors.ts'
import type { PackDraft, StoredPack } from './pack-store.ts'

export type DraftPack = Pick<StoredPack, 'packId' | 'generation' | 'lengthBytes'>

export interface DraftOptions {
  readonly disk: Disk
  readonly file: DiskFile
  readonly path: string
  readonly pack: DraftPack
  /** Gives a synced draft its final name. */
  readonly publish: (path: string, pack: DraftPack) => Promise<StoredPack>
  /** To be told of every failure of the disk. */
  readonly failed: (error: unknown) => void
  /** Gives the reserved room back. */
  readonly release: () => void
}

/** A pack on its way into a store of files. */
export class FileDraft implements PackDraft {
  readonly #options: DraftOptions
  #written = 0
  #state: 'open' | 'failed' | 'sealed' | 'closed' = 'open'

  constructor(options: DraftOptions) {
    this.#options = options
  }

  async append(slice: Uint8Array): Promise<void> {
    const { file, failed } = this.#options
    const { lengthBytes } = this.#options.pack
    if (this.#written + slice.length > lengthBytes) {
      throw new TwofoldError('invalid-argument', `the pack is longer than the announced ${lengthBytes} bytes`)
    }
    try {
      await file.write(slice, this.#written)
    } catch (error) {
      this.#requireNotClosed()
      failed(error)
      throw error
    }
    this.#written += slice.length
  }

  /** What fails because the draft was given up meanwhile says nothing of the disk. */
  #requireNotClosed(): void {
    if (this.#state !== 'closed') return
    throw new TwofoldError('cancelled', `pack ${this.#options.pack.packId} is not written any more`)
  }

  read(target: Uint8Array, offset: number): Promise<number> {
    return this.#options.file.read(target, offset)
  }

  async seal(): Promise<StoredPack> {
    const { publish, file, path, pack } = this.#options
    if (this.#state === 'failed') {
      throw new TwofoldError(
        'io',
        `pack ${pack.packId} could not be made durable; nothing is known of what was written`,
      )
    }
    if (this.#written !== pack.lengthBytes) {
      const message = `the pack ends after ${this.#written} of ${pack.lengthBytes} bytes`
      throw new TwofoldError('invalid-argument', message)
    }
    try {
      await file.sync()
    } catch (error) {
      this.#requireNotClosed()
      throw this.#lost(error)
    }
    try {
      const sealed = await publish(path, pack)
      this.#state = 'sealed'
      return sealed
    } catch (error) {
      throw this.#lost(error)
    }
  }

  /** After a failed sync or rename nobody knows what is on the disk; a second sync would say what is not true. */
  #lost(error: unknown): unknown {
    if (this.#state !== 'closed') this.#state = 'failed'
    this.#options.failed(error)
    return error
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const { failed, disk, file, path, release } = this.#options
    const abandoned = this.#state !== 'sealed'
    this.#state = 'closed'
    try {
      // What is not wanted goes even if its last bytes cannot be written any more, as on a full disk.
      await file.close().finally(() => (abandoned ? disk.remove(path) : undefined))
    } catch (error) {
      // What is left over is removed at the next start; but a disk that cannot do this cannot be trusted with more.
      if (!isTwofoldError(error, 'not-found')) failed(error)
    } finally {
      release()
    }
  }
}
