import { invariant } from '../core/errors.ts'
import { chunkKey } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { encodeTree, splitEntries } from '../format/tree.ts'
import type { RecordContent, TreeEntry } from '../format/tree.ts'
import { nameKey } from './parent-trees.ts'
import type { KnownDirectory, TreeRecord } from './parent-trees.ts'

/** Takes encoded trees, children first. */
export interface TreeSink {
  /** `id` is given where it is known. */
  add(record: RecordContent & { readonly id?: ChunkId }): Promise<ChunkId>
}

/** A directory some of whose entries are not known yet. */
export interface OpenDirectory {
  readonly parent: OpenDirectory | undefined
  /** Where its entry belongs in the parent. */
  readonly slot: number
  /** Its own entry, without the tree; only the root has none. */
  readonly entry: (() => TreeEntry) | undefined
  /** The tree with which its parent has it already, so that nothing is to be done if it is the same in the end. */
  readonly knownTree: ChunkId | undefined
  /** What the parent snapshot has of it; entries taken over from there are the same objects. */
  known: KnownDirectory | undefined
  /** In the order of the names; what is not saved stays undefined. Undefined: those of `known`. */
  entries: (TreeEntry | undefined)[] | undefined
  /** Itself and its open directories. */
  waiting: number
  dropped: boolean
}

export interface DirectoryPlace {
  readonly parent: OpenDirectory
  readonly slot: number
  readonly entry: () => TreeEntry
  readonly knownTree?: ChunkId | undefined
}

type OpenDirectories = ReadonlyMap<OpenDirectory | undefined, readonly OpenDirectory[]>

/** Builds trees bottom-up, in whatever order the directories are completed. */
export class TreeAssembler {
  readonly #sink: TreeSink
  readonly #open = new Set<OpenDirectory>()
  /** The tree of the root directory, once all is closed. */
  root: ChunkId | undefined

  constructor(sink: TreeSink) {
    this.#sink = sink
  }

  openRoot(): OpenDirectory {
    return this.#opened(openDirectory({ parent: undefined, slot: 0, entry: undefined, knownTree: undefined }))
  }

  open(place: DirectoryPlace): OpenDirectory {
    place.parent.waiting += 1
    return this.#opened(openDirectory({ knownTree: undefined, ...place }))
  }

  /** All entries of `directory` are set, but for its open directories. */
  async close(directory: OpenDirectory): Promise<void> {
    for (let next: OpenDirectory | undefined = directory; next !== undefined; next = next.parent) {
      next.waiting -= 1
      if (next.waiting > 0) return
      this.#open.delete(next)
      const tree = next.dropped ? undefined : await this.#store(next)
      if (next.parent === undefined) this.root = tree
      else if (!isSame(tree, next.knownTree)) replaceEntry(next, next.parent, tree)
    }
  }

  /**
   * Stores all entries that are set so far, and the rest as the parent has it, as the tree of an unfinished root.
   * @returns undefined when nothing is set
   */
  async partial(): Promise<ChunkId | undefined> {
    const below = Map.groupBy(this.#open, ({ parent }) => parent)
    const [root] = below.get(undefined) ?? []
    return root === undefined ? undefined : this.#storePartial(root, below)
  }

  async #storePartial(directory: OpenDirectory, below: OpenDirectories): Promise<ChunkId | undefined> {
    const { known } = directory
    const own = new Map<string, TreeEntry>()
    for (const entry of directory.entries ?? []) if (entry !== undefined) own.set(nameKey(entry.name), entry)
    for (const child of below.get(directory) ?? []) {
      const tree = await this.#storePartial(child, below)
      const entry = tree === undefined ? undefined : child.entry?.()
      if (entry !== undefined) own.set(nameKey(entry.name), { ...entry, tree })
    }
    // Where nothing was done yet, what the parent's listing says of this directory stays as it is.
    if (own.size === 0) return undefined
    const merged = new Map([...(known?.entries ?? []), ...own])
    return this.#encode([...merged.values()].sort((a, b) => Buffer.compare(a.name, b.name)))
  }

  #opened(directory: OpenDirectory): OpenDirectory {
    this.#open.add(directory)
    return directory
  }

  /** The tree of the root. */
  result(): ChunkId {
    invariant(this.root !== undefined, 'every directory was closed')
    return this.root
  }

  async #store({ parent, known, entries: all }: OpenDirectory): Promise<ChunkId> {
    const entries = all?.filter((entry) => entry !== undefined) ?? []
    // Only the root may have entries from elsewhere, in front of its own.
    if (parent === undefined) entries.sort((a, b) => Buffer.compare(a.name, b.name))
    if (known?.whole === true && (all === undefined || areKnown(entries, known))) return this.#addAll(known.trees)
    return this.#encode(entries)
  }

  async #encode(entries: readonly TreeEntry[]): Promise<ChunkId> {
    const [first = [], ...rest] = splitEntries(entries)
    if (rest.length === 0) return this.#sink.add(encodeTree({ entries: first, parts: [] }))
    const parts: ChunkId[] = []
    for (const part of [first, ...rest]) parts.push(await this.#sink.add(encodeTree({ entries: part, parts: [] })))
    return this.#sink.add(encodeTree({ entries: [], parts }))
  }

  /** The id of the last one. */
  async #addAll(trees: readonly TreeRecord[]): Promise<ChunkId> {
    const ids: ChunkId[] = []
    for (const tree of trees) ids.push(await this.#sink.add(tree))
    return ids.at(-1) as ChunkId
  }
}

function openDirectory(place: Pick<OpenDirectory, 'parent' | 'slot' | 'entry' | 'knownTree'>): OpenDirectory {
  return { ...place, known: undefined, entries: [], waiting: 1, dropped: false }
}

/** Whether nothing in the directory changed, so that its tree need not be made again. */
function areKnown(entries: readonly TreeEntry[], known: KnownDirectory): boolean {
  if (entries.length !== known.entries.size) return false
  let at = 0
  for (const entry of known.entries.values()) if (entries[at++] !== entry) return false
  return true
}

function replaceEntry(directory: OpenDirectory, parent: OpenDirectory, tree: ChunkId | undefined): void {
  parent.entries ??= [...(parent.known?.entries.values() ?? [])]
  const entry = directory.entry?.()
  parent.entries[directory.slot] = tree === undefined || entry === undefined ? undefined : { ...entry, tree }
}

function isSame(tree: ChunkId | undefined, known: ChunkId | undefined): boolean {
  return tree !== undefined && known !== undefined && chunkKey(tree) === chunkKey(known)
}
