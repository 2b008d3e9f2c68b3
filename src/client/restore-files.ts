import { linkedController } from '../core/abort.ts'
import { isTwofoldError, toTwofoldError, TwofoldError } from '../core/errors.ts'
import { freeBytes } from '../core/free-bytes.ts'
import { chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { restorePlacesMax, restoreWritesInFlight } from '../core/limits.ts'
import type { Extent, TreeEntry } from '../format/tree.ts'
import type { ChunkLoader, LoadOptions } from './chunk-loader.ts'
import { ConcurrentWork } from './concurrent-work.ts'
import type { LocalContent } from './local-content.ts'
import type { TargetFile, TargetPath } from './restore-target.ts'

/** A file to be restored. */
export interface FileJob {
  readonly names: TargetPath
  /** In the snapshot, for people. */
  readonly path: Uint8Array
  readonly entry: TreeEntry
  /** What of it is in the target already. */
  readonly local?: LocalContent | undefined
}

/** A file that begins at `offset` of the content that it comes with. */
export interface WholeJob {
  readonly job: FileJob
  readonly offset: number
}

/** What a `FileWriter` does with a file, and whom it tells. */
export interface FileSink {
  open(job: FileJob): Promise<TargetFile>
  /**
   * Takes files at once that lie in `content` as a whole, and the content with them. Without it each is opened.
   * @returns for each why it failed, undefined if it did not
   */
  writeWhole?(content: Uint8Array, files: readonly WholeJob[]): Promise<readonly (TwofoldError | undefined)[]>
  /** Bytes of the file's content were dealt with, holes included. */
  progressed(job: FileJob, bytes: number): void
  /** Bytes came from a node, or were found in the target. */
  moved?(bytes: number, from: 'node' | 'target'): void
  done(job: FileJob): void
  /** `damaged` when the content could not be had, otherwise the target is to blame. The file is discarded. */
  failed(job: FileJob, error: TwofoldError, damaged: boolean): void
}

export interface FileWriterOptions {
  readonly loader: ChunkLoader
  readonly vault: string
  readonly sink: FileSink
  /** Runs of zeros need not be written: the sink's files are full of them. */
  readonly skipZeros: boolean
  readonly load: LoadOptions
}

interface OpenJob {
  readonly job: FileJob
  file: TargetFile | undefined
  /** Whether all of its extents are in a batch. */
  planned: boolean
  /** Extents that are in a batch and not yet written. */
  waiting: number
  /** Whether the sink has taken it as a whole. */
  written: boolean
  failed: boolean
}

interface Placement {
  readonly job: OpenJob
  readonly fileOffset: number
  readonly extent: Extent
}

/** Places of chunks that are loaded together. */
class Batch {
  readonly ids: ChunkId[] = []
  readonly placements: Placement[][] = []
  readonly #positions = new Map<ChunkKey, number>()
  #count = 0

  get full(): boolean {
    return this.#count >= restorePlacesMax
  }

  add(chunk: ChunkId, placement: Placement): void {
    const key = chunkKey(chunk)
    let position = this.#positions.get(key)
    if (position === undefined) {
      position = this.ids.push(chunk) - 1
      this.#positions.set(key, position)
      this.placements.push([])
    }
    this.placements[position]?.push(placement)
    this.#count += 1
  }
}

/**
 * Restores the content of many files at once, by pack and not by file: chunks are collected in batches, each is loaded
 * once and written to every place where it occurs as soon as it arrives. While a batch is loaded the next is collected,
 * and files that are whole in one chunk are written beside both.
 */
export class FileWriter {
  readonly #options: FileWriterOptions
  readonly #open = new Set<OpenJob>()
  readonly #loads = new ConcurrentWork(1)
  readonly #writes = new ConcurrentWork(restoreWritesInFlight)
  #stopLoad: () => void = () => undefined
  #batch = new Batch()

  constructor(options: FileWriterOptions) {
    this.#options = options
  }

  /** Takes a file on. Resolves when it is written or waits in a batch for others. */
  async add(job: FileJob): Promise<void> {
    const open: OpenJob = { job, file: undefined, planned: false, waiting: 0, written: false, failed: false }
    this.#open.add(open)
    let fileOffset = 0
    let index = 0
    for await (const extent of this.#extents(open)) {
      const local = await this.#local(open, { index: index++, extent, fileOffset })
      if (local !== undefined) {
        open.waiting += 1
        this.#options.sink.moved?.(extent.length, 'target')
        await this.#write({ job: open, fileOffset, extent }, local)
      } else if (extent.chunk === undefined) {
        this.#options.sink.progressed(job, extent.length)
      } else {
        open.waiting += 1
        this.#batch.add(extent.chunk, { job: open, fileOffset, extent })
      }
      fileOffset += extent.length
      if (this.#batch.full) await this.#startLoad()
    }
    open.planned = true
    if (open.waiting === 0) await this.#finish(open)
  }

  /** An extent as it is in the target already; undefined when it must be fetched. */
  async #local(
    open: OpenJob,
    { index, extent, fileOffset }: { index: number; extent: Extent; fileOffset: number },
  ): Promise<Uint8Array | undefined> {
    const { local } = open.job
    if (local === undefined || open.failed) return undefined
    try {
      return await local.read(index, extent, fileOffset)
    } catch (error) {
      // Whatever is in the way there, the nodes have it.
      if (isTwofoldError(error, 'internal', 'cancelled')) throw error
      return undefined
    }
  }

  /** Writes everything that waits. */
  async flush(): Promise<void> {
    await this.#startLoad()
    await this.#loads.settle()
    await this.#writes.settle()
  }

  /** Ends what is going on and removes what is not whole, after a failure that ends the restore. */
  async discard(): Promise<void> {
    this.#stopLoad()
    // Their failures are told where they are waited for, or another one came first.
    await Promise.allSettled([this.#loads.settle(), this.#writes.settle()])
    for (const open of this.#open) await open.file?.discard()
    this.#open.clear()
  }

  async #startLoad(): Promise<void> {
    const batch = this.#batch
    this.#batch = new Batch()
    await this.#loads.start(() => this.#load(batch))
  }

  async #load(batch: Batch): Promise<void> {
    const { loader, vault, load } = this.#options
    const { controller, release } = linkedController(load.signal)
    this.#stopLoad = () => controller.abort(new TwofoldError('cancelled', 'the restore is over'))
    const missing: { index: number; error: TwofoldError }[] = []
    const onMissing = (index: number, error: TwofoldError): void => void missing.push({ index, error })
    const options = { ...load, onMissing, signal: controller.signal }
    try {
      for await (const { index, plain } of loader.load(vault, batch.ids, options)) {
        controller.signal.throwIfAborted()
        this.#options.sink.moved?.(plain.length, 'node')
        await this.#place(batch.placements[index] ?? [], plain)
        await this.#giveUp(batch, missing)
      }
      await this.#giveUp(batch, missing)
    } finally {
      release()
    }
  }

  async #place(placements: readonly Placement[], plain: Uint8Array): Promise<void> {
    const whole: Placement[] = []
    for (const placement of placements) {
      if (this.#isWhole(placement, plain)) whole.push(placement)
      else await this.#write(placement, plain)
    }
    if (whole.length === 0) freeBytes(plain)
    else await this.#writes.start(() => this.#writeWhole(whole, plain))
  }

  #isWhole({ job, extent: { chunkOffset, length } }: Placement, plain: Uint8Array): boolean {
    const { sink, skipZeros } = this.#options
    if (sink.writeWhole === undefined || job.failed || !job.planned || job.waiting > 1) return false
    const end = chunkOffset + length
    if (length !== job.job.entry.size || end > plain.length) return false
    return !skipZeros || !isZero(plain.subarray(chunkOffset, end))
  }

  async #writeWhole(placements: readonly Placement[], plain: Uint8Array): Promise<void> {
    const files = placements.map(({ job, extent }) => ({ job: job.job, offset: extent.chunkOffset }))
    const errors = (await this.#options.sink.writeWhole?.(plain, files)) ?? []
    for (const [at, placement] of placements.entries()) {
      const error = errors[at]
      placement.job.written = true
      if (error !== undefined) await this.#fail(placement.job, error, false)
      await this.#placed(placement)
    }
  }

  /** The file's extents; when they cannot be had, the file fails and they end. */
  async *#extents(open: OpenJob): AsyncGenerator<Extent> {
    const { loader, vault, load } = this.#options
    const extents = loader.extents(vault, open.job.entry, { ...load, onMissing: undefined })
    for (;;) {
      let next: IteratorResult<Extent>
      try {
        next = await extents.next()
      } catch (error) {
        await this.#fail(open, error, true)
        return
      }
      if (next.done === true) return
      yield next.value
    }
  }

  async #giveUp(batch: Batch, missing: { index: number; error: TwofoldError }[]): Promise<void> {
    for (const { index, error } of missing.splice(0)) {
      for (const placement of batch.placements[index] ?? []) {
        await this.#fail(placement.job, error, true)
        await this.#placed(placement)
      }
    }
  }

  async #write(placement: Placement, plain: Uint8Array): Promise<void> {
    const { job, fileOffset, extent } = placement
    if (!job.failed) {
      const end = extent.chunkOffset + extent.length
      const data = plain.subarray(extent.chunkOffset, end)
      if (end > plain.length) {
        await this.#fail(job, new TwofoldError('integrity', 'an extent goes beyond the end of its chunk'), true)
      } else if (!this.#options.skipZeros || !isZero(data)) {
        await this.#guarded(job, async () => (await this.#fileOf(job)).write(data, fileOffset))
      }
    }
    await this.#placed(placement)
  }

  async #placed({ job, extent }: Placement): Promise<void> {
    job.waiting -= 1
    this.#options.sink.progressed(job.job, extent.length)
    if (job.planned && job.waiting === 0) await this.#finish(job)
  }

  async #finish(open: OpenJob): Promise<void> {
    const { entry } = open.job
    const commit = async (): Promise<void> => (await this.#fileOf(open)).commit(entry)
    if (!open.failed && !open.written) await this.#guarded(open, commit)
    this.#open.delete(open)
    if (!open.failed) this.#options.sink.done(open.job)
  }

  async #fileOf(open: OpenJob): Promise<TargetFile> {
    return (open.file ??= await this.#options.sink.open(open.job))
  }

  async #guarded(open: OpenJob, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await this.#fail(open, error, isTwofoldError(error, 'integrity'))
    }
  }

  /** A file fails alone, unless the reason is one that every further file would meet, too. */
  async #fail(open: OpenJob, cause: unknown, damaged: boolean): Promise<void> {
    this.#options.load.signal?.throwIfAborted()
    const error = toTwofoldError(cause)
    if (isTwofoldError(error, 'no-room', 'cancelled', 'internal')) throw cause
    if (open.failed) return
    open.failed = true
    const { file } = open
    open.file = undefined
    await file?.discard()
    this.#options.sink.failed(open.job, error, damaged)
  }
}

const zeros = Buffer.alloc(64 * 1024)

function isZero(data: Uint8Array): boolean {
  for (let at = 0; at < data.length; at += zeros.length) {
    const part = data.subarray(at, at + zeros.length)
    if (part[0] !== 0 || zeros.compare(part, 0, part.length, 0, part.length) !== 0) return false
  }
  return true
}
