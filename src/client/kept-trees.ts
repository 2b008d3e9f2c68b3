import { chunkKey } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { decodeTree } from '../format/tree.ts'
import type { RecordContent, TreeNode } from '../format/tree.ts'
import type { TreeSink } from './tree-assembler.ts'

/** Trees that are remembered: those of some 50,000 changed entries. With more, something has changed for certain. */
const keptBytesMax = 8 * 1024 * 1024

/** Passes trees on and remembers them, so that they can be compared before they are stored anywhere. */
export class KeptTrees implements TreeSink {
  readonly #sink: TreeSink
  readonly #trees = new Map<ChunkKey, RecordContent>()
  #bytes = 0

  constructor(sink: TreeSink) {
    this.#sink = sink
  }

  async add(record: RecordContent & { readonly id?: ChunkId }): Promise<ChunkId> {
    const id = await this.#sink.add(record)
    const key = chunkKey(id)
    if (this.#bytes <= keptBytesMax && !this.#trees.has(key)) {
      this.#bytes += record.plain.length + record.refs.length
      this.#trees.set(key, record)
    }
    return id
  }

  /** Undefined for one that is not remembered. */
  get(id: ChunkId): TreeNode | undefined {
    const record = this.#trees.get(chunkKey(id))
    return record === undefined ? undefined : decodeTree(record.plain, record.refs)
  }
}
