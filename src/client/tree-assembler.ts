import { invariant } from '../core/errors.ts'
import type { ChunkId } from '../core/ids.ts'
import { encodeTree, splitEntries } from '../format/tree.ts'
import type { RecordContent, TreeEntry } from '../format/tree.ts'

/** Takes encoded trees, children first. */
export interface TreeSink {
  add(record: RecordContent): Promise<ChunkId>
}

/** A directory some of whose entries are not known yet. */
export interface OpenDirectory {
  readonly parent: OpenDirectory | undefined
  /** Where its entry belongs in the parent. */
  readonly slot: number
  /** Its own entry, without the tree. */
  readonly entry: TreeEntry | undefined
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
    return { parent: undefined, slot: 0, entry: undefined, entries: [], waiting: 1, dropped: false }
  }

  open(parent: OpenDirectory, slot: number, entry: TreeEntry): OpenDirectory {
    parent.waiting += 1
    return { parent, slot, entry, entries: [], waiting: 1, dropped: false }
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
      const tree = await this.#store(entries)
      if (next.parent === undefined) this.root = tree
      else next.parent.entries[next.slot] = { ...(next.entry as TreeEntry), tree }
    }
  }

  /** The tree of the root. */
  result(): ChunkId {
    invariant(this.root !== undefined, 'every directory was closed')
    return this.root
  }

  async #store(entries: readonly TreeEntry[]): Promise<ChunkId> {
    const [first = [], ...rest] = splitEntries(entries)
    if (rest.length === 0) return this.#sink.add(encodeTree({ entries: first, parts: [] }))
    const parts: ChunkId[] = []
    for (const part of [first, ...rest]) parts.push(await this.#sink.add(encodeTree({ entries: part, parts: [] })))
    return this.#sink.add(encodeTree({ entries: [], parts }))
  }
}
