import { chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { compressedAtOnce } from '../core/limits.ts'
import type { Codec } from '../format/codec.ts'
import { sealRecord } from '../format/record.ts'
import type { SealedRecord } from '../format/record.ts'
import type { BackupStats } from './backup-stats.ts'
import { ChunkBatch } from './chunk-batch.ts'
import type { BatchedChunk } from './chunk-batch.ts'
import { ObjectPool } from './object-pool.ts'
import type { PackFiller } from './pack-filler.ts'
import type { RunScope } from './run-scope.ts'

/** One being filled, one being stored, and one being looked up where anything is looked up: 6 MiB each. */
const batchesMax = { withLookup: 3, without: 2 }

export interface ChunkPipelineDeps {
  readonly scope: RunScope
  /** For each id whether the vault has it; undefined when the vault was empty at the beginning, so that nobody asks. */
  readonly lookup: ((ids: readonly ChunkId[]) => Promise<readonly boolean[]>) | undefined
  readonly filler: PackFiller
  readonly codec: Codec
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  readonly stats: BackupStats
}

/**
 * The way of data chunks from memory into packs: look up, compress, append, in the order they came. Batches are looked
 * up as soon as they are submitted, so that the round trip overlaps with reading and storing.
 */
export class ChunkPipeline {
  readonly #deps: ChunkPipelineDeps
  readonly #pool: ObjectPool<ChunkBatch>
  /** Chunks that this run has seen: what occurs twice in a backup is stored once. About 100 bytes for each. */
  readonly #seen = new Set<ChunkKey>()
  #last: Promise<void> = Promise.resolve()
  #knownBytes = 0

  constructor(deps: ChunkPipelineDeps) {
    this.#deps = deps
    const most = deps.lookup === undefined ? batchesMax.without : batchesMax.withLookup
    this.#pool = new ObjectPool(most, () => new ChunkBatch())
  }

  /** Bytes of chunks that need not be stored. */
  get knownBytes(): number {
    return this.#knownBytes
  }

  /** An empty batch; waits while all are on their way. */
  take(): Promise<ChunkBatch> {
    return this.#pool.take(this.#deps.scope.signal)
  }

  /** True the first time that a chunk is asked about; then it must be put into the batch. */
  isNew(id: ChunkId, lengthBytes: number): boolean {
    const key = chunkKey(id)
    const before = this.#seen.size
    this.#seen.add(key)
    if (this.#seen.size > before) return true
    this.#deps.stats.chunksKnown += 1
    this.#knownBytes += lengthBytes
    return false
  }

  /** Hands a filled batch over. It returns to the pool when everything new in it was copied into packs. */
  submit(batch: ChunkBatch): void {
    const { lookup, scope } = this.#deps
    const asked =
      batch.chunks.length === 0 || lookup === undefined ? undefined : lookup(batch.chunks.map(({ id }) => id))
    // Its failure is thrown where it is awaited; without this, a run that ends first would leave it unheard.
    asked?.catch(() => undefined)
    const before = this.#last
    this.#last = scope.background(before.then(() => this.#store(batch, asked)))
  }

  /** Resolves when every chunk that was submitted is committed. */
  async drain(): Promise<void> {
    await this.#last
    this.#deps.scope.throwIfFailed()
    await this.#deps.filler.flush()
  }

  async #store(batch: ChunkBatch, asked: Promise<readonly boolean[]> | undefined): Promise<void> {
    const { scope, stats } = this.#deps
    scope.throwIfFailed()
    const present = await asked
    const missing = present === undefined ? batch.chunks : batch.chunks.filter((_, index) => present[index] !== true)
    stats.chunksKnown += batch.chunks.length - missing.length
    this.#knownBytes += lengthOf(batch.chunks) - lengthOf(missing)
    await this.#append(batch, missing)
    batch.clear()
    this.#pool.give(batch)
  }

  async #append(batch: ChunkBatch, chunks: readonly BatchedChunk[]): Promise<void> {
    const { filler, stats, scope } = this.#deps
    const sealing: Promise<SealedRecord>[] = []
    let next = 0
    for (let index = 0; index < chunks.length; index++) {
      while (next < chunks.length && sealing.length < compressedAtOnce) {
        const sealed = this.#seal(batch, chunks[next++] as BatchedChunk)
        // As above: it is awaited below unless the run ends before.
        sealed.catch(() => undefined)
        sealing.push(sealed)
      }
      const record = (await sealing.shift()) as SealedRecord
      scope.throwIfFailed()
      await filler.append(record)
      stats.chunksNew += 1
      stats.newBytes += record.plainLength
    }
  }

  #seal(batch: ChunkBatch, chunk: BatchedChunk): Promise<SealedRecord> {
    const { codec, vaultId } = this.#deps
    return sealRecord({ vaultId, kind: 'data', chunkId: chunk.id, plain: batch.bytes(chunk) }, codec)
  }
}

function lengthOf(chunks: readonly BatchedChunk[]): number {
  return chunks.reduce((sum, { start, end }) => sum + end - start, 0)
}
