import { chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'

/** Plain bytes that are kept: of small files, a few thousand that lie next to each other. */
const keptBytesMax = 16 * 1024 * 1024

/** The chunks that were used last. Small files share chunks, and whoever reads one of them often reads the next. */
export class RecentChunks {
  readonly #chunks = new Map<ChunkKey, Uint8Array>()
  #bytes = 0

  /** The plain content, if it is kept. */
  get(id: ChunkId): Uint8Array | undefined {
    const key = chunkKey(id)
    const plain = this.#chunks.get(key)
    if (plain !== undefined) {
      this.#chunks.delete(key)
      this.#chunks.set(key, plain)
    }
    return plain
  }

  put(id: ChunkId, plain: Uint8Array): void {
    const newest = chunkKey(id)
    if (this.#chunks.has(newest)) return
    this.#chunks.set(newest, plain)
    this.#bytes += plain.length
    for (const [key, { length }] of this.#chunks) {
      if (this.#bytes <= keptBytesMax) return
      this.#chunks.delete(key)
      this.#bytes -= length
    }
  }
}
