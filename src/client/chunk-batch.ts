import { blake3 } from '../format/hash.ts'
import type { ChunkId } from '../core/ids.ts'
import { chunkBytesMax, lookupIdsMax } from '../core/limits.ts'

/** Three of the largest chunks: what is not cut yet is less than one, and moves on to the next batch. */
export const batchBytes = 3 * chunkBytesMax
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
