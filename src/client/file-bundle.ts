import type { ChunkId } from '../core/ids.ts'
import { bundleBytesAverage, bundleBytesMax, bundleBytesMin, bundledFileBytesMax } from '../core/limits.ts'
import { Chunker } from '../format/chunker.ts'
import type { Extent } from '../format/tree.ts'

/**
 * Small files one behind the other, cut into chunks like the content of one file: a chunk, a record and a row of the
 * catalogue for each of them would cost more than their bytes do.
 */
export class FileBundle {
  readonly #chunker = new Chunker({
    minBytes: bundleBytesMin,
    averageBytes: bundleBytesAverage,
    maxBytes: bundleBytesMax,
  })
  readonly #memory = Buffer.allocUnsafeSlow(bundleBytesMax + bundledFileBytesMax + 1)
  #end = 0
  /** In their order, with what is not part of a chunk yet. */
  readonly #files: { readonly extents: Extent[]; left: number }[] = []

  /** Whether a chunk must be taken before the next file is added. */
  get full(): boolean {
    return this.#end >= bundleBytesMax
  }

  /** Where to read the next file to: one byte more than the largest, so that a longer one is noticed. */
  get room(): Uint8Array {
    return this.#memory.subarray(this.#end, this.#end + bundledFileBytesMax + 1)
  }

  /** Adds what was read into `room`. @returns the file's extents, which are complete after the bundle was emptied. */
  add(length: number): readonly Extent[] {
    const extents: Extent[] = []
    if (length > 0) this.#files.push({ extents, left: length })
    this.#end += length
    return extents
  }

  /**
   * Takes the first chunk away, or all that is left if no more can follow (`final`); false when there is none.
   * @param name copies the chunk and gives its id
   */
  async take(final: boolean, name: (chunk: Uint8Array) => Promise<ChunkId>): Promise<boolean> {
    if (this.#end === 0 || (!final && !this.full)) return false
    const cut = this.#chunker.cut(this.#memory, 0, this.#end, final)
    this.#place(await name(this.#memory.subarray(0, cut)), cut)
    this.#memory.copyWithin(0, cut, this.#end)
    this.#end -= cut
    return true
  }

  #place(chunk: ChunkId, chunkLength: number): void {
    let chunkOffset = 0
    let done = 0
    for (const file of this.#files) {
      if (chunkOffset === chunkLength) break
      const length = Math.min(file.left, chunkLength - chunkOffset)
      file.extents.push({ chunk, chunkOffset, length })
      chunkOffset += length
      file.left -= length
      if (file.left === 0) done += 1
    }
    this.#files.splice(0, done)
  }
}
