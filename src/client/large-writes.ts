import * as fs from 'node:fs'
import { promisify } from 'node:util'
import type { Clock } from '../core/clock.ts'
import { blockBytes, bytesToBlock, pageAligned } from '../core/direct-io.ts'
import { isErrno } from './target-error.ts'
import { WriteWays } from './write-ways.ts'

/** A longer slice goes around the cache in pieces. */
const pieceBytes = 1024 * 1024
const writeInThread = promisify(fs.write)

/** A file by its two descriptors. */
export interface LargeFile {
  readonly cached: number
  /** For writing around the cache, opened when it is first needed; undefined where the file system has no such way. */
  direct(): number | undefined
}

export interface LargeWritesParts {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly ways?: Pick<WriteWays, 'next' | 'took' | 'refuse'> | undefined
  /** Gives memory for a piece, which begins where a page does. */
  readonly memory?: (() => Uint8Array) | undefined
}

/**
 * Writes long slices of files, which begin and end anywhere, in the way that is faster here. Around the system's cache
 * go the whole blocks of a slice; its ends, which share their blocks with other slices, always go through it.
 */
export class LargeWrites {
  readonly #parts: LargeWritesParts
  readonly #ways: Pick<WriteWays, 'next' | 'took' | 'refuse'>
  readonly #free: Uint8Array[] = []

  constructor(parts: LargeWritesParts) {
    this.#parts = parts
    this.#ways = parts.ways ?? new WriteWays()
  }

  /** @throws the system's error */
  async write(file: LargeFile, data: Uint8Array, offset: number): Promise<void> {
    const { clock } = this.#parts
    const way = this.#ways.next()
    const startMs = clock.monotonicMs()
    if (way === 'direct') await this.#writeAround(file, data, offset)
    else await writeThrough(file.cached, data, offset)
    this.#ways.took(way, data.length, clock.monotonicMs() - startMs)
  }

  async #writeAround(file: LargeFile, data: Uint8Array, offset: number): Promise<void> {
    const direct = file.direct()
    if (direct === undefined) {
      this.#ways.refuse()
      return writeThrough(file.cached, data, offset)
    }
    const start = Math.min(data.length, bytesToBlock(offset))
    const end = data.length - ((data.length - start) % blockBytes)
    const written = start + (await this.#writeBlocks(direct, data.subarray(start, end), offset + start))
    await writeThrough(file.cached, data.subarray(0, start), offset)
    await writeThrough(file.cached, data.subarray(written), offset + written)
  }

  /** @returns how many bytes were written; not all where the disk wants other blocks than these. */
  async #writeBlocks(direct: number, blocks: Uint8Array, offset: number): Promise<number> {
    const piece = this.#free.pop() ?? this.#parts.memory?.() ?? pageAligned(pieceBytes)
    try {
      let done = 0
      while (done < blocks.length) {
        const length = Math.min(piece.length, blocks.length - done)
        piece.set(blocks.subarray(done, done + length))
        const { bytesWritten } = await writeInThread(direct, piece, 0, length, offset + done)
        done += bytesWritten
        if (bytesWritten < length) break
      }
      return done
    } catch (error) {
      if (!isErrno(error, 'EINVAL')) throw error
      this.#ways.refuse()
      return 0
    } finally {
      this.#free.push(piece)
    }
  }
}

/** Writes below this are done at once: handing them to a thread takes longer than they do. */
const smallWriteBytes = 64 * 1024

/** @throws the system's error */
export async function writeThrough(descriptor: number, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const left = data.length - done
    done +=
      left <= smallWriteBytes
        ? fs.writeSync(descriptor, data, done, left, offset + done)
        : (await writeInThread(descriptor, data, done, left, offset + done)).bytesWritten
  }
}
