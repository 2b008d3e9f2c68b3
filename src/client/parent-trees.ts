import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { asBuffer, chunkIdBytes, chunkIdFromKey, chunkKey, parseChunkId } from '../core/ids.ts'
import { lookupIdsMax } from '../core/limits.ts'
import type { RecordContent, TreeEntry } from '../format/tree.ts'
import type { ChunkLoader, LoadedTree } from './chunk-loader.ts'

/** A directory of the parent snapshot. */
export interface KnownDirectory {
  /** By name (latin1), in the order of the names. */
  readonly entries: ReadonlyMap<string, TreeEntry>
  /** Its tree; undefined when it is in parts. */
  readonly tree: (RecordContent & { readonly id: ChunkId }) | undefined
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

  /** The entries of each tree; trees that cannot be read are missing in the answer. */
  async load(ids: readonly ChunkId[]): Promise<Map<ChunkKey, KnownDirectory>> {
    const known = new Map<ChunkKey, KnownDirectory>()
    if (ids.length === 0) return known
    const trees = await this.#trees(ids)
    const parts = [...trees.values()].flatMap((tree) => tree.parts)
    const partTrees = parts.length === 0 ? new Map<ChunkKey, LoadedTree>() : await this.#trees(parts)
    for (const [key, { entries: own, parts: inParts, record }] of trees) {
      const pieces = inParts.map((part) => partTrees.get(chunkKey(part))?.entries ?? [])
      const entries = new Map([...own, ...pieces.flat()].map((entry) => [nameKey(entry.name), entry]))
      known.set(key, { entries, tree: inParts.length === 0 ? { id: chunkIdFromKey(key), ...record } : undefined })
    }
    return known
  }

  /**
   * The chunks of these files that no longer have enough copies, and the extent lists that name one: the files must be
   * read again.
   */
  async missing(files: readonly TreeEntry[]): Promise<Set<ChunkKey>> {
    const missing = new Set<ChunkKey>()
    if (this.#deps.lookup === undefined) return missing
    const wanted = new Map<ChunkKey, ChunkId>()
    const want = (id: ChunkId): void => void wanted.set(chunkKey(id), id)
    for (const { extents, extentLists } of files) {
      for (const { chunk } of extents) if (chunk !== undefined) want(chunk)
      extentLists.forEach(want)
    }
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
      const named: ChunkId[] = []
      for (let at = 0; at < refs.length; at += chunkIdBytes) {
        named.push(parseChunkId(refs.subarray(at, at + chunkIdBytes)))
      }
      listed.push({ list: id, named })
    }
    return listed
  }

  #trees(ids: readonly ChunkId[]): Promise<Map<ChunkKey, LoadedTree>> {
    const { loader, vault, signal, onUnreadable } = this.#deps
    const onMissing = (_: number, error: Error): void => onUnreadable(error.message)
    return loader.loadTrees(vault, ids, { signal, onMissing })
  }
}
