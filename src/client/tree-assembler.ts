import { invariant } from '../core/errors.ts'
import { chunkKey } from '../core/ids.ts'
import type { ChunkId } from '../core/ids.ts'
import { encodeTree, splitEntries } from '../format/tree.ts'
import type { RecordContent, TreeEntry } from '../format/tree.ts'
import type { KnownDirectory } from './parent-trees.ts'

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
  /** Its own entry, without the tree. */
  readonly entry: TreeEntry | undefined
  /** Its entry in the parent snapshot, if only the tree may be another one. */
  readonly knownEntry: TreeEntry | undefined
  /** What the parent snapshot has of it; entries taken over from there are the same objects. */
  known: KnownDirectory | undefined
  /** In the order of the names; what is not saved stays undefined. */
  readonly entries: (TreeEntry | undefined)[]
  /** Itself and its open directories. */
  waiting: number
  dropped: boolean
}

/** Builds trees bottom-up, in whatever order the directories are completed. */
export class TreeAssembler {
  readonly #sink: TreeSink
  /** The tree of the root directory, once all is closed. */
  root: ChunkId | undefined

  constructor(sink: TreeSink) {
    this.#sink = sink
  }

  openRoot(): OpenDirectory {
    return openDirectory({ parent: undefined, slot: 0, entry: undefined, knownEntry: undefined })
  }

  open(place: { parent: OpenDirectory; slot: number; entry: TreeEntry; knownEntry?: TreeEntry }): OpenDirectory {
    place.parent.waiting += 1
    return openDirectory({ knownEntry: undefined, ...place })
  }

  /** All entries of `directory` are set, but for its open directories. */
  async close(directory: OpenDirectory): Promise<void> {
    for (let next: OpenDirectory | undefined = directory; next !== undefined; next = next.parent) {
      next.waiting -= 1
      if (next.waiting > 0) return
      if (next.dropped) continue
      const entries = next.entries.filter((entry) => entry !== undefined)
      // Only the root may have entries from elsewhere, in front of its own.
      if (next.parent === undefined) entries.sort((a, b) => Buffer.compare(a.name, b.name))
      const tree = await this.#store(entries, next.known)
      if (next.parent === undefined) this.root = tree
      else next.parent.entries[next.slot] = withTree(next, tree)
    }
  }

  /** The tree of the root. */
  result(): ChunkId {
    invariant(this.root !== undefined, 'every directory was closed')
    return this.root
  }

  async #store(entries: readonly TreeEntry[], known: KnownDirectory | undefined): Promise<ChunkId> {
    if (known?.tree !== undefined && areKnown(entries, known)) return this.#sink.add(known.tree)
    const [first = [], ...rest] = splitEntries(entries)
    if (rest.length === 0) return this.#sink.add(encodeTree({ entries: first, parts: [] }))
    const parts: ChunkId[] = []
    for (const part of [first, ...rest]) parts.push(await this.#sink.add(encodeTree({ entries: part, parts: [] })))
    return this.#sink.add(encodeTree({ entries: [], parts }))
  }
}

function openDirectory(place: Pick<OpenDirectory, 'parent' | 'slot' | 'entry' | 'knownEntry'>): OpenDirectory {
  return { ...place, known: undefined, entries: [], waiting: 1, dropped: false }
}

/** Whether nothing in the directory changed, so that its tree need not be made again. */
function areKnown(entries: readonly TreeEntry[], known: KnownDirectory): boolean {
  if (entries.length !== known.entries.size) return false
  let at = 0
  for (const entry of known.entries.values()) if (entries[at++] !== entry) return false
  return true
}

function withTree({ entry, knownEntry }: OpenDirectory, tree: ChunkId): TreeEntry {
  const same = knownEntry?.tree !== undefined && chunkKey(knownEntry.tree) === chunkKey(tree)
  return same ? knownEntry : { ...(entry as TreeEntry), tree }
}
