import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { isTwofoldError } from '../core/errors.ts'
import { asBuffer, chunkIdBytes, chunkIdFromKey, chunkKey, parseChunkId } from '../core/ids.ts'
import { lookupIdsMax } from '../core/limits.ts'
import { decodeTree, treeParts } from '../format/tree.ts'
import type { RecordContent, TreeEntry } from '../format/tree.ts'
import type { ChunkLoader } from './chunk-loader.ts'

export type TreeRecord = RecordContent & { readonly id: ChunkId }

/** A directory of the parent snapshot. Its entries are decoded when they are asked for. */
export class KnownDirectory {
  /** Its tree; of a directory in parts the last one, which names them. */
  readonly trees: readonly TreeRecord[]
  /** False when a part of it could not be read. */
  readonly whole: boolean
  #entries: ReadonlyMap<string, TreeEntry> | undefined

  constructor(trees: readonly TreeRecord[], whole: boolean) {
    this.trees = trees
    this.whole = whole
  }

  /** The trees that hold its entries, in order. */
  get listings(): readonly TreeRecord[] {
    return this.trees.length === 1 ? this.trees : this.trees.slice(0, -1)
  }

  /** By name (latin1), in the order of the names. @throws TwofoldError as `decodeTree` */
  get entries(): ReadonlyMap<string, TreeEntry> {
    this.#entries ??= new Map(
      this.listings
        .flatMap(({ plain, refs }) => decodeTree(plain, refs).entries)
        .map((entry) => [nameKey(entry.name), entry]),
    )
    return this.#entries
  }
}

export interface ParentTreesDeps {
  readonly loader: ChunkLoader
  readonly vault: string
  readonly signal: AbortSignal
  /** Asks which chunks still have enough copies; undefined when nobody can tell (a dry run). */
  readonly lookup: ((ids: readonly ChunkId[]) => Promise<readonly boolean[]>) | undefined
  /** Told once for each tree that could not be read; its files are then read as if they were new. */
  readonly onUnreadable: (message: string) => void
}

export function nameKey(name: Uint8Array): string {
  return asBuffer(name).toString('latin1')
}

/** The parent snapshot, read a group of directories at a time. */
export class ParentTrees {
  readonly #deps: ParentTreesDeps

  constructor(deps: ParentTreesDeps) {
    this.#deps = deps
  }

  /** The directories with these trees; those that cannot be read are missing in the answer. */
  async load(ids: readonly ChunkId[]): Promise<Map<ChunkKey, KnownDirectory>> {
    const known = new Map<ChunkKey, KnownDirectory>()
    if (ids.length === 0) return known
    const trees = await this.#trees(ids)
    const partsOf = new Map(trees.values().map((tree) => [tree, this.#attempt(() => treeParts(tree))]))
    const parts = [...partsOf.values()].flatMap((ids) => ids ?? [])
    const partTrees = parts.length === 0 ? new Map<ChunkKey, TreeRecord>() : await this.#trees(parts)
    for (const [key, tree] of trees) {
      const own = partsOf.get(tree)
      if (own === undefined) continue
      const pieces = own.flatMap((part) => partTrees.get(chunkKey(part)) ?? [])
      known.set(key, new KnownDirectory([...pieces, tree], pieces.length === own.length))
    }
    return known
  }

  /** Whether the directory's entries can be decoded; if not, it is reported. */
  isReadable(known: KnownDirectory): boolean {
    return this.#attempt(() => known.entries) !== undefined
  }

  #attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!isTwofoldError(error)) throw error
      this.#deps.onUnreadable(error.message)
      return undefined
    }
  }

  /**
   * The chunks of these files that no longer have enough copies, and the extent lists that name one: the files must be
   * read again. `trees`: chunks that these refer to count as well.
   */
  async missing(files: readonly TreeEntry[], trees: readonly RecordContent[]): Promise<Set<ChunkKey>> {
    const missing = new Set<ChunkKey>()
    if (this.#deps.lookup === undefined) return missing
    const wanted = new Map<ChunkKey, ChunkId>()
    const want = (id: ChunkId): void => void wanted.set(chunkKey(id), id)
    for (const { extents, extentLists } of files) {
      for (const { chunk } of extents) if (chunk !== undefined) want(chunk)
      extentLists.forEach(want)
    }
    for (const { refs } of trees) idsIn(refs).forEach(want)
    const listed = await this.#listed(files, missing)
    for (const { named } of listed) named.forEach(want)
    await this.#lookUp([...wanted.values()], missing)
    for (const { list, named } of listed) if (named.some((id) => missing.has(chunkKey(id)))) missing.add(chunkKey(list))
    return missing
  }

  async #lookUp(ids: readonly ChunkId[], missing: Set<ChunkKey>): Promise<void> {
    for (let start = 0; start < ids.length; start += lookupIdsMax) {
      const asked = ids.slice(start, start + lookupIdsMax)
      const present = await this.#deps.lookup?.(asked)
      asked.forEach((id, index) => {
        if (present?.[index] !== true) missing.add(chunkKey(id))
      })
    }
  }

  /** The extent lists of the files with the chunks that they name. A list that cannot be read counts as missing. */
  async #listed(files: readonly TreeEntry[], missing: Set<ChunkKey>): Promise<{ list: ChunkId; named: ChunkId[] }[]> {
    const lists = files.flatMap((file) => file.extentLists)
    const listed: { list: ChunkId; named: ChunkId[] }[] = []
    if (lists.length === 0) return listed
    const { loader, vault, signal } = this.#deps
    const onMissing = (index: number): void => void missing.add(chunkKey(lists[index] as ChunkId))
    for await (const { id, refs } of loader.load(vault, lists, { signal, onMissing })) {
      listed.push({ list: id, named: idsIn(refs) })
    }
    return listed
  }

  async #trees(ids: readonly ChunkId[]): Promise<Map<ChunkKey, TreeRecord>> {
    const { loader, vault, signal, onUnreadable } = this.#deps
    const onMissing = (_: number, error: Error): void => onUnreadable(error.message)
    const records = await loader.loadTreeRecords(vault, ids, { signal, onMissing })
    return new Map(records.entries().map(([key, record]) => [key, { id: chunkIdFromKey(key), ...record }]))
  }
}

/** The ids in a list of references. */
export function idsIn(refs: Uint8Array): ChunkId[] {
  const ids: ChunkId[] = []
  for (let at = 0; at < refs.length; at += chunkIdBytes) ids.push(parseChunkId(refs.subarray(at, at + chunkIdBytes)))
  return ids
}
