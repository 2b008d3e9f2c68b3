import { blockBytes, bytesToBlock, pageAligned } from '../core/direct-io.ts'
import { sliceBytesMax } from '../core/limits.ts'

/** A slice that begins and ends anywhere touches two blocks more. A longer one is read in pieces. */
const pieceBytes = sliceBytesMax + 2 * blockBytes
/** So many slices at once go around the cache, each with a piece of memory; further ones go through it. */
const piecesMax = 8

/** Files of which is remembered what was read of them; the ones read least recently are forgotten. */
const filesMax = 1024

/** What is needed of an open file. */
export interface ReadableHandle {
  read(target: Uint8Array, at: number, length: number, offset: number): Promise<{ bytesRead: number }>
}

/** A file, and the way to it around the system's cache. */
export interface LongFile {
  readonly name: string
  readonly cached: ReadableHandle
  /** Opened when it is first needed; undefined where the file system has no such way. */
  direct(): Promise<ReadableHandle | undefined>
}

/**
 * Reads long slices of files, around the system's cache when they are wanted for the first time: memory for the cache
 * can cost more than the disk does, and most of a backup is read once. What is wanted again goes through the cache.
 */
export class LongReads {
  readonly #free: Uint8Array[] = []
  #made = 0
  #refused = false
  /** By the file's name: the slices that were read, as the numbers of the pieces in which they begin. */
  readonly #seen = new Map<string, Set<number>>()

  /** @returns how many bytes there were, fewer only at the end of the file. @throws the system's error */
  async read(file: LongFile, target: Uint8Array, offset: number): Promise<number> {
    const piece = !this.#refused && this.#isNew(file.name, offset) ? this.#take() : undefined
    if (piece === undefined) return readFully(file.cached, target, offset)
    return this.#readAround(file, { target, offset, piece })
  }

  #isNew(name: string, offset: number): boolean {
    const seen = this.#seen.get(name) ?? new Set()
    this.#seen.delete(name)
    this.#seen.set(name, seen)
    if (this.#seen.size > filesMax) this.#seen.delete(this.#seen.keys().next().value as string)
    const number = Math.floor(offset / sliceBytesMax)
    const isNew = !seen.has(number)
    seen.add(number)
    return isNew
  }

  async #readAround(file: LongFile, wanted: BlocksToRead): Promise<number> {
    const { target, offset, piece } = wanted
    let done = 0
    try {
      const direct = await file.direct()
      if (direct === undefined) this.#refused = true
      else done = await readBlocks(direct, wanted)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
      this.#refused = true
    } finally {
      this.#free.push(piece)
    }
    // Only this way is known to give all that there is.
    return done + (await readFully(file.cached, target.subarray(done), offset + done))
  }

  #take(): Uint8Array | undefined {
    const piece = this.#free.pop()
    if (piece !== undefined || this.#made === piecesMax) return piece
    this.#made += 1
    return pageAligned(pieceBytes)
  }
}

/** Reads all of the target, or to the end of the file. @throws the system's error */
export async function readFully(handle: ReadableHandle, target: Uint8Array, offset: number): Promise<number> {
  let done = 0
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, target.length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

interface BlocksToRead {
  readonly target: Uint8Array
  readonly offset: number
  readonly piece: Uint8Array
}

/** Reads the blocks that the slice touches, and takes what is wanted of them. */
async function readBlocks(direct: ReadableHandle, { target, offset, piece }: BlocksToRead): Promise<number> {
  let done = 0
  while (done < target.length) {
    const before = (offset + done) % blockBytes
    const wanted = before + target.length - done
    const length = Math.min(piece.length, wanted + bytesToBlock(wanted))
    const { bytesRead } = await direct.read(piece, 0, length, offset + done - before)
    const part = piece.subarray(before, Math.min(bytesRead, wanted))
    target.set(part, done)
    done += part.length
    if (bytesRead < length) break
  }
  return done
}
