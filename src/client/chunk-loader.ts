import { linkedController } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { TwofoldError } from '../core/errors.ts'
import { chunkKey, toHex } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { lookupIdsMax, readsInFlight } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import type { CallOptions, NodeRef, RecordKind } from '../core/model.ts'
import type { Random } from '../core/random.ts'
import type { Codec } from '../format/codec.ts'
import { decodeExtentList, decodeTree } from '../format/tree.ts'
import type { Extent, RecordContent, TreeEntry, TreeNode } from '../format/tree.ts'
import { BadCopyReports } from './bad-copy-reports.ts'
import { mapUnordered } from './map-unordered.ts'
import type { ManagerApi } from './manager-api.ts'
import { persistently } from '../core/persistently.ts'
import { PackReader } from './pack-reader.ts'
import type { CopyProblem } from './pack-reader.ts'
import { planReads } from './read-plan.ts'
import type { LocatedChunk, PackRead } from './read-plan.ts'
import type { StorageApi } from './storage-api.ts'

export interface ChunkLoaderDeps {
  readonly manager: ManagerApi
  readonly storage: StorageApi
  readonly codec: Codec
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface LoadedRecord {
  /** Position in the list of ids that was asked for. */
  readonly index: number
  readonly id: ChunkId
  readonly kind: RecordKind
  readonly plain: Uint8Array
  readonly refs: Uint8Array
}

export interface LoadOptions extends CallOptions {
  /** Called for each chunk of which no copy could be read. Without it the first one ends the load. */
  readonly onMissing?: ((index: number, error: TwofoldError) => void) | undefined
  /** Called for each copy that could not serve what was asked of it, whether or not another one could. */
  readonly onProblem?: ((problem: CopyProblem) => void) | undefined
  /** Called when a node has no room for a read; what it returns is called when it is asked again. */
  readonly onWaiting?: ((node: NodeRef) => () => void) | undefined
}

/**
 * Reads chunks by their ids: looks up where they are, reads each pack once for all that is wanted of it, from several
 * nodes at once, and verifies every record. At most `readsInFlight` reads of `readTaskBytes` are in memory.
 */
export class ChunkLoader {
  readonly #deps: ChunkLoaderDeps
  readonly #reader: PackReader
  /** Copies that could not be read tell the manager of themselves. */
  readonly badCopies: BadCopyReports

  constructor(deps: ChunkLoaderDeps) {
    this.#deps = deps
    this.#reader = new PackReader(deps)
    this.badCopies = new BadCopyReports(deps.manager, deps.logger)
  }

  /**
   * Yields one record for each id, in any order, each verified against its id.
   * @throws TwofoldError `integrity` when no good copy is left, `unavailable` when the copies cannot be reached; its
   * fields name chunk, pack and nodes. With `onMissing` such chunks are reported there and left out instead.
   */
  async *load(vault: string, ids: readonly ChunkId[], options: LoadOptions = {}): AsyncGenerator<LoadedRecord> {
    const miss = (indexes: readonly number[], error: TwofoldError): void => {
      if (options.onMissing === undefined) throw error
      for (const index of indexes) options.onMissing(index, error)
    }
    // Whoever stops taking records stops the reads that are in progress, too.
    const { controller, release } = linkedController(options.signal)
    const onProblem = (problem: CopyProblem): void => {
      this.badCopies.add(problem)
      options.onProblem?.(problem)
    }
    const running = { ...options, onProblem, signal: controller.signal }
    const reads = this.#plan({ vault, ids, miss }, running)
    try {
      for await (const result of mapUnordered(reads, readsInFlight, (read) => this.#reader.read(read, running))) {
        for (const { record, error } of result.bad) miss(record.indexes, error)
        for (const { record, kind, plain, refs } of result.good) {
          for (const index of record.indexes) yield { index, id: record.id, kind, plain, refs }
        }
      }
    } finally {
      release()
      controller.abort(new TwofoldError('cancelled', 'the load is over'))
    }
  }

  /** @throws as `load`; also `integrity` when a chunk is no tree. */
  async loadTrees(vault: string, ids: readonly ChunkId[], options: LoadOptions = {}): Promise<Map<ChunkKey, TreeNode>> {
    return this.#loadTrees(vault, ids, options, ({ plain, refs }) => decodeTree(plain, refs))
  }

  /** As `loadTrees`, without decoding anything. */
  async loadTreeRecords(
    vault: string,
    ids: readonly ChunkId[],
    options: LoadOptions = {},
  ): Promise<Map<ChunkKey, RecordContent>> {
    return this.#loadTrees(vault, ids, options, ({ plain, refs }) => ({ plain, refs }))
  }

  async #loadTrees<T>(
    vault: string,
    ids: readonly ChunkId[],
    options: LoadOptions,
    read: (record: LoadedRecord) => T,
  ): Promise<Map<ChunkKey, T>> {
    const trees = new Map<ChunkKey, T>()
    for await (const record of this.load(vault, ids, options)) {
      const { id, kind, index } = record
      const key = chunkKey(id)
      if (trees.has(key)) continue
      try {
        if (kind !== 'tree') throw new TwofoldError('integrity', `chunk ${toHex(id)} is no tree but ${kind}`)
        trees.set(key, read(record))
      } catch (error) {
        if (options.onMissing === undefined || !(error instanceof TwofoldError)) throw error
        options.onMissing(index, error)
      }
    }
    return trees
  }

  /** @throws as `loadTrees` */
  async loadTree(vault: string, id: ChunkId, options: CallOptions = {}): Promise<TreeNode> {
    const trees = await this.loadTrees(vault, [id], { signal: options.signal })
    return trees.get(chunkKey(id)) as TreeNode
  }

  /**
   * The extents of a file, in order. Those of a file with very many are read a list at a time.
   * @throws as `load`; also `integrity` when they are not as long as the file
   */
  async *extents(vault: string, entry: TreeEntry, options: LoadOptions = {}): AsyncGenerator<Extent> {
    let length = 0
    for (const extent of entry.extents) {
      length += extent.length
      yield extent
    }
    for (const id of entry.extentLists) {
      for await (const { plain, refs } of this.load(vault, [id], { ...options, onMissing: undefined })) {
        for (const extent of decodeExtentList(plain, refs)) {
          length += extent.length
          yield extent
        }
      }
    }
    if (length !== entry.size) {
      throw new TwofoldError('integrity', `its extents are ${length} bytes long, the file is ${entry.size}`)
    }
  }

  async *#plan(
    { vault, ids, miss }: { vault: string; ids: readonly ChunkId[]; miss: Miss },
    options: CallOptions,
  ): AsyncGenerator<PackRead> {
    for (const batch of batches(ids)) {
      const chunks = [...batch.values()]
      const asked = chunks.map(({ id }) => id)
      const locate = () => this.#deps.manager.locateChunks(vault, asked, options)
      const locations = await persistently(locate, { ...this.#deps, signal: options.signal })
      const located: LocatedChunk[] = []
      for (const [at, chunk] of chunks.entries()) {
        const location = locations[at]
        if (location === undefined) miss(chunk.indexes, unknownChunk(chunk.id, vault))
        else located.push({ ...chunk, location })
      }
      yield* planReads(located)
    }
  }
}

type Miss = (indexes: readonly number[], error: TwofoldError) => void
type Batch = Map<ChunkKey, { id: ChunkId; indexes: number[] }>

/** Runs of at most `lookupIdsMax` different ids, each with the positions where it occurs in the run. */
function* batches(ids: readonly ChunkId[]): Generator<Batch> {
  let batch: Batch = new Map()
  for (const [index, id] of ids.entries()) {
    const key = chunkKey(id)
    const known = batch.get(key)
    if (known !== undefined) {
      known.indexes.push(index)
      continue
    }
    if (batch.size === lookupIdsMax) {
      yield batch
      batch = new Map()
    }
    batch.set(key, { id, indexes: [index] })
  }
  if (batch.size > 0) yield batch
}

function unknownChunk(id: ChunkId, vault: string): TwofoldError {
  const chunk = toHex(id)
  return new TwofoldError(
    'integrity',
    `the vault "${vault}" has no chunk ${chunk.slice(0, 8)}: it is not in the catalogue`,
    {
      fields: { chunk },
    },
  )
}
