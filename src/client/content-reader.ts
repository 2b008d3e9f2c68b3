import { invariant } from '../core/errors.ts'
import type { ChunkId } from '../core/ids.ts'
import { bundledFileBytesMax, chunkBytesMax } from '../core/limits.ts'
import { Chunker } from '../format/chunker.ts'
import type { Extent } from '../format/tree.ts'
import type { ChunkBatch } from './chunk-batch.ts'
import type { ChunkPipeline } from './chunk-pipeline.ts'
import { FileBundle } from './file-bundle.ts'
import { leadingRun } from './zero-runs.ts'
import type { SmallRead } from './source-tree.ts'

/** Bytes asked for at once: enough that a call's cost vanishes, so few that progress is seen. */
const readBytes = 1024 * 1024

export interface ContentSource {
  /** Reads up to `target.length` bytes at `offset` and says how many; 0 only at the end. */
  read(target: Uint8Array, offset: number): Promise<number>
}

export interface Content {
  readonly extents: readonly Extent[]
  readonly size: number
}

/**
 * Cuts content into chunks, names them, and hands them to the pipeline. Content is read straight into the memory of
 * batches and stays there until it is stored; one content at a time.
 */
export class ContentReader {
  readonly #pipeline: ChunkPipeline
  readonly #chunker = new Chunker()
  readonly #bundle = new FileBundle()
  readonly #onRead: (bytes: number) => void
  #batch: ChunkBatch | undefined
  /** What of the batch's memory is read and not cut yet. */
  #start = 0
  #end = 0

  /** `onRead` is told of all bytes as they are read. */
  constructor(pipeline: ChunkPipeline, onRead: (bytes: number) => void) {
    this.#pipeline = pipeline
    this.#onRead = onRead
  }

  /**
   * Reads a file in one go. `size` is what is expected; more or fewer bytes are no error. The smallest files share
   * chunks: their extents are complete after `settle`.
   * @returns undefined when it was longer: read it with `content`.
   */
  async small(
    size: number,
    read: (target: Uint8Array) => Promise<SmallRead>,
  ): Promise<(Content & SmallRead) | undefined> {
    if (size <= bundledFileBytesMax) return this.#bundled(size, read)
    const batch = await this.#room(size + 1)
    const result = await read(batch.memory.subarray(batch.used, batch.used + size + 1))
    if (result.length > size) return undefined
    this.#onRead(result.length)
    const extents: Extent[] = []
    this.#start = batch.used
    this.#end = batch.used + result.length
    this.#cut(batch, extents, true)
    return { ...result, extents, size: result.length }
  }

  async #bundled(
    size: number,
    read: (target: Uint8Array) => Promise<SmallRead>,
  ): Promise<(Content & SmallRead) | undefined> {
    if (this.#bundle.full) await this.#takeBundle(false)
    const result = await read(this.#bundle.room.subarray(0, size + 1))
    if (result.length > size) return undefined
    this.#onRead(result.length)
    return { ...result, extents: this.#bundle.add(result.length), size: result.length }
  }

  /** Completes the extents of all files that were read before. */
  settle(): Promise<void> {
    return this.#takeBundle(true)
  }

  async #takeBundle(final: boolean): Promise<void> {
    const name = async (chunk: Uint8Array): Promise<ChunkId> => {
      const batch = await this.#room(chunk.length)
      const start = batch.used
      batch.memory.set(chunk, start)
      this.#start = this.#end = batch.used = start + chunk.length
      return this.#name(batch, start, batch.used)
    }
    while (await this.#bundle.take(final, name));
  }

  /** Reads to the end. In `sparse` content longer runs of zeros become holes. */
  async content(source: ContentSource, options: { sparse: boolean }): Promise<Content> {
    const extents: Extent[] = []
    let size = 0
    this.#start = this.#end = (await this.#room(1)).used
    for (;;) {
      const batch = await this.#room(readBytes)
      const length = await source.read(batch.memory.subarray(this.#end, this.#end + readBytes), size)
      if (length === 0) break
      size += length
      this.#onRead(length)
      if (options.sparse) this.#addSparse(batch, extents, this.#end + length)
      else this.#end += length
      this.#cut(batch, extents, false)
    }
    if (this.#batch !== undefined) this.#cut(this.#batch, extents, true)
    return { extents, size }
  }

  /** Forgets what was read and not cut, after a read that failed; chunks that were cut before stay. */
  forget(): void {
    this.#start = this.#end = this.#batch?.used ?? 0
  }

  /** Hands over what is waiting for its batch to fill. */
  flush(): void {
    if (this.#batch === undefined) return
    this.#pipeline.submit(this.#batch)
    this.#batch = undefined
    this.#start = this.#end = 0
  }

  /** A batch with room for `bytes` behind what is not cut yet, which moves along when the batch must change. */
  async #room(bytes: number): Promise<ChunkBatch> {
    const old = this.#batch
    if (old !== undefined && !old.full && old.memory.length - Math.max(old.used, this.#end) >= bytes) return old
    const batch = await this.#pipeline.take()
    if (old !== undefined) {
      old.memory.copy(batch.memory, 0, this.#start, this.#end)
      this.#pipeline.submit(old)
    }
    this.#end -= this.#start
    this.#start = 0
    this.#batch = batch
    return batch
  }

  /**
   * Cuts off chunks while a largest one would fit into what is there, so that no byte is searched for a cut twice; all
   * that is left when `final`.
   */
  #cut(batch: ChunkBatch, extents: Extent[], final: boolean): void {
    while (this.#start < this.#end && (final || this.#end - this.#start >= chunkBytesMax)) {
      const cut = this.#chunker.cut(batch.memory, this.#start, this.#end, final)
      invariant(cut > this.#start, 'a largest chunk is always cut')
      extents.push({ chunk: this.#name(batch, this.#start, cut), chunkOffset: 0, length: cut - this.#start })
      this.#start = cut
    }
    batch.used = this.#start
  }

  #name(batch: ChunkBatch, start: number, end: number): ChunkId {
    const id = batch.hash(start, end)
    if (this.#pipeline.isNew(id, end - start)) batch.chunks.push({ id, start, end })
    return id
  }

  /** Takes up new bytes up to `end`: data is cut as usual, a hole ends the chunk before it. */
  #addSparse(batch: ChunkBatch, extents: Extent[], end: number): void {
    while (this.#end < end) {
      const run = leadingRun(batch.memory.subarray(this.#end, end))
      if (run.zero) {
        this.#cut(batch, extents, true)
        addHole(extents, run.length)
        // The zeros' memory is free again when nothing was read behind them.
        const behind = this.#end + run.length
        this.#start = this.#end = behind === end ? this.#end : behind
        if (behind === end) return
      } else {
        this.#end += run.length
      }
    }
  }
}

function addHole(extents: Extent[], length: number): void {
  const last = extents.at(-1)
  if (last !== undefined && last.chunk === undefined)
    extents[extents.length - 1] = { ...last, length: last.length + length }
  else extents.push({ chunk: undefined, chunkOffset: 0, length })
}
