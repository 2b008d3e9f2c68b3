import { blake3 } from '../format/hash.ts'
import type { ChunkId } from '../core/ids.ts'
import { chunkBytesMax, lookupIdsMax } from '../core/limits.ts'

/** More than a largest chunk: what is not cut yet is less than one, and moves on to the next batch. */
export const batchBytes = chunkBytesMax + 2 * 1024 * 1024
export const batchChunksMax = lookupIdsMax / 2

export interface BatchedChunk {
  readonly id: ChunkId
  readonly start: number
  readonly end: number
}

/** Memory that file content is read into, cut in and stored from, and the chunks in it that are not known yet. */
export class ChunkBatch {
  readonly memory = Buffer.allocUnsafeSlow(batchBytes)
  readonly chunks: BatchedChunk[] = []
  /** Everything before it belongs to chunks. */
  used = 0

  get room(): number {
    return this.memory.length - this.used
  }

  get full(): boolean {
    return this.chunks.length >= batchChunksMax
  }

  hash(start: number, end: number): ChunkId {
    return blake3(this.memory.subarray(start, end)) as ChunkId
  }

  bytes(chunk: BatchedChunk): Uint8Array {
    return this.memory.subarray(chunk.start, chunk.end)
  }

  clear(): void {
    this.chunks.length = 0
    this.used = 0
  }
}
