import { constants, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { blockBytes } from '../core/direct-io.ts'
import type { DiskFile } from '../core/disk.ts'
import { Semaphore } from '../core/semaphore.ts'
import { classified, classify } from './disk-error.ts'
import type { StagingMemory } from './staging-memory.ts'

export interface DirectFileParts {
  /** The same file through the system's cache, just created. */
  readonly cached: DiskFile
  readonly path: string
  /** For messages. */
  readonly name: string
  readonly staging: Pick<StagingMemory, 'take' | 'giveBack'>
}

/** The way around the cache: one piece is filled while the other one is written. */
interface Direct {
  readonly handle: FileHandle
  filling: Uint8Array
  writing: Uint8Array
}

/**
 * A file that is written from its beginning to its end around the system's cache. That spares the cache's memory, which
 * costs more to make than to fill, and the sync finds little left to write. Slices are put together to long pieces.
 *
 * Everything else goes through the cache: the last bytes, which are no whole block, and all that comes after anything
 * but the next slice. So there are two states, and one way from the first to the second.
 */
export class DirectFile implements DiskFile {
  readonly #parts: DirectFileParts
  readonly #turn = new Semaphore(1)
  #direct: Direct | undefined
  /** How many bytes are in the file, and how many behind them in the piece. */
  #written = 0
  #staged = 0
  /** The end of the write in progress. */
  #landed: Promise<void> = Promise.resolve()
  /** Whether the disk wants other blocks than these. */
  #refused = false
  /** After a failure nobody knows what is in the file; no later call may say that all is well. */
  #failure: Error | undefined

  private constructor(parts: DirectFileParts, direct: Direct) {
    this.#parts = parts
    this.#direct = direct
  }

  /** @returns `cached` itself where the file system has no such way, or too many files are written at once. */
  static async create(parts: DirectFileParts): Promise<DiskFile> {
    const pieces = parts.staging.take()
    if (pieces === undefined) return parts.cached
    const handle = await open(parts.path, constants.O_WRONLY | constants.O_DIRECT).catch(() => undefined)
    if (handle !== undefined) return new DirectFile(parts, { handle, filling: pieces[0], writing: pieces[1] })
    parts.staging.giveBack(pieces)
    return parts.cached
  }

  write(data: Uint8Array, offset: number): Promise<void> {
    return this.#turn.run(async () => {
      this.#requireSound()
      if (this.#refused || offset !== this.#written + this.#staged) await this.#settle()
      let done = 0
      for (let direct = this.#direct; direct !== undefined && done < data.length; direct = this.#direct) {
        done += this.#stage(direct.filling, data.subarray(done))
        if (this.#staged === direct.filling.length) await this.#flush(direct, this.#staged)
      }
      if (done < data.length) await this.#parts.cached.write(data.subarray(done), offset + done)
    })
  }

  read(target: Uint8Array, offset: number): Promise<number> {
    return this.#turn.run(async () => {
      this.#requireSound()
      await this.#settle()
      return this.#parts.cached.read(target, offset)
    })
  }

  length(): Promise<number> {
    return this.#turn.run(async () => {
      this.#requireSound()
      await this.#settle()
      return this.#parts.cached.length()
    })
  }

  sync(): Promise<void> {
    return this.#turn.run(async () => {
      this.#requireSound()
      await this.#settle()
      await this.#parts.cached.sync()
    })
  }

  close(): Promise<void> {
    return this.#turn.run(async () => {
      try {
        await this.#settle()
      } finally {
        await this.#parts.cached.close()
      }
    })
  }

  #requireSound(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** @returns how many bytes there was room for. */
  #stage(piece: Uint8Array, data: Uint8Array): number {
    const part = data.subarray(0, piece.length - this.#staged)
    piece.set(part, this.#staged)
    this.#staged += part.length
    return part.length
  }

  /** Begins to write the first bytes of the filled piece, whole blocks, when the write before has ended. */
  async #flush(direct: Direct, length: number): Promise<void> {
    await this.#land()
    const { filling, writing } = direct
    this.#landed = this.#writeOut(direct.handle, filling.subarray(0, length), this.#written)
    // Whoever lands it hears of a failure.
    this.#landed.catch(() => undefined)
    direct.filling = writing
    direct.writing = filling
    this.#written += length
    this.#staged -= length
  }

  async #land(): Promise<void> {
    try {
      await this.#landed
    } catch (error) {
      throw await this.#fail(error)
    }
  }

  /** What the disk does not take so goes through the cache. */
  async #writeOut(handle: FileHandle, blocks: Uint8Array, offset: number): Promise<void> {
    const taken = await writeBlocks(handle, blocks, offset)
    if (taken === 0) this.#refused = true
    if (taken < blocks.length) await this.#parts.cached.write(blocks.subarray(taken), offset + taken)
  }

  /** Brings what is in the piece into the file. From then on everything goes through the cache. */
  async #settle(): Promise<void> {
    const direct = this.#direct
    if (direct === undefined) return
    const { filling } = direct
    const blocks = this.#staged - (this.#staged % blockBytes)
    const rest = filling.slice(blocks, this.#staged)
    if (blocks > 0) await this.#flush(direct, blocks)
    await this.#land()
    try {
      await this.#leave()
      await this.#parts.cached.write(rest, this.#written)
    } catch (error) {
      throw await this.#fail(error)
    }
  }

  async #fail(error: unknown): Promise<Error> {
    this.#failure ??= classify(error, `write ${this.#parts.name}`)
    await this.#leave()
    return this.#failure
  }

  async #leave(): Promise<void> {
    const direct = this.#direct
    if (direct === undefined) return
    this.#direct = undefined
    this.#parts.staging.giveBack([direct.filling, direct.writing])
    await classified(`close ${this.#parts.name}`, () => direct.handle.close())
  }
}

/** @returns how many bytes were written; 0 where the disk wants other blocks than these. */
async function writeBlocks(handle: FileHandle, blocks: Uint8Array, offset: number): Promise<number> {
  try {
    const { bytesWritten } = await handle.write(blocks, 0, blocks.length, offset)
    return bytesWritten
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
    return 0
  }
}
