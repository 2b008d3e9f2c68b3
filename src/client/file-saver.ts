import type { Clock } from '../core/clock.ts'
import type { ChunkId } from '../core/ids.ts'
import { chunkBytesMin, extentsInlineMax, extentsPerList } from '../core/limits.ts'
import { encodeExtentList } from '../format/tree.ts'
import type { Extent, TreeEntry } from '../format/tree.ts'
import type { BackupStats } from './backup-stats.ts'
import type { ContentReader } from './content-reader.ts'
import { makeEntry } from './entry-maker.ts'
import type { StoredContent } from './entry-maker.ts'
import type { Progress } from './progress.ts'
import { SequentialAhead, SmallFilesAhead } from './read-ahead.ts'
import type { SourceEntry, SourceFile, SourceStat, SourceTree } from './source-tree.ts'
import type { TreeSink } from './tree-assembler.ts'

/**
 * File systems stamp times with the tick of the kernel, at most ten milliseconds apart: what was changed within the
 * last tick may change again without getting another time, and a later backup would take it for unchanged.
 */
const tickMs = 20

/** What one read ahead of a large file is for: as much as is asked for at once. */
const aheadBytes = 1024 * 1024

export interface FileSaverDeps {
  readonly source: SourceTree
  readonly reader: ContentReader
  readonly trees: TreeSink
  readonly clock: Clock
  readonly progress: Progress
  readonly stats: BackupStats
  /** Called before each read of a large file; what it throws ends the backup. */
  readonly beforeRead?: () => void
  /** How many reads may be on their way; 1 unless given. */
  readonly readConcurrency?: number | undefined
}

interface ReadContent {
  readonly extents: readonly Extent[]
  readonly size: number
  readonly before: SourceStat
  readonly after: SourceStat
}

/** Reads files into chunks and makes their entries. */
export class FileSaver {
  readonly #deps: FileSaverDeps
  /** Content of files with several names, until all of them were met. */
  readonly #linked = new Map<string, { readonly content: StoredContent; left: number }>()

  readonly #ahead: SmallFilesAhead | undefined

  constructor(deps: FileSaverDeps) {
    const { source, readConcurrency = 1 } = deps
    this.#deps = deps
    this.#ahead = readConcurrency > 1 ? new SmallFilesAhead(source, readConcurrency - 1) : undefined
  }

  /** Whether it is of use to say which files come next. */
  get readsAhead(): boolean {
    return this.#ahead?.hasRoom === true
  }

  /** This file is about to be saved. One that has just changed is not read before its tick is over. */
  expect(path: Uint8Array, file: SourceEntry): void {
    if (file.size < chunkBytesMin && file.links < 2 && this.#ageMs(file) >= tickMs) this.#ahead?.begin(path, file.size)
  }

  /**
   * The extents of small files are complete after `settle`.
   * @throws `not-found` or `io` when it cannot be read; nothing is known of it then.
   */
  async save(path: Uint8Array, file: SourceEntry): Promise<TreeEntry> {
    const { source } = this.#deps
    const again = this.#otherName(file)
    if (again !== undefined) {
      this.#deps.progress.bytesDone += file.size
      return makeEntry(source, file.name, { stat: file, type: 'file', content: again })
    }
    await this.#awaitTick(file)
    const read = await this.#read(path, file)
    const content = await storeContent(read, this.#deps.trees)
    if (changed(read.before, read.after)) {
      this.#deps.stats.errors += 1
      this.#deps.progress.problem(path, 'read', 'it changed while it was read, and is saved as it was read')
    } else if (read.before.links > 1) {
      this.#linked.set(linkKey(read.before), { content, left: read.before.links - 1 })
    }
    return makeEntry(source, file.name, { stat: read.before, type: 'file', content })
  }

  settle(): Promise<void> {
    return this.#deps.reader.settle()
  }

  async #read(path: Uint8Array, file: SourceEntry): Promise<ReadContent> {
    const { reader, source } = this.#deps
    try {
      if (file.size < chunkBytesMin) {
        const small = await reader.small(file.size, (target) => (this.#ahead ?? source).readSmall(path, target))
        if (small !== undefined) return small
      }
      const opened = await source.open(path)
      try {
        return await this.#readOpen(opened)
      } finally {
        await opened.close()
      }
    } catch (error) {
      reader.forget()
      throw error
    }
  }

  async #readOpen(file: SourceFile): Promise<ReadContent> {
    const before = await file.stat()
    const sparse = before.allocatedBytes < before.size
    const { readConcurrency: most = 1 } = this.#deps
    const ahead = most > 1 ? new SequentialAhead(file, { pieceBytes: aheadBytes, most }) : undefined
    const read = (target: Uint8Array, offset: number): Promise<number> => {
      this.#deps.beforeRead?.()
      return (ahead ?? file).read(target, offset)
    }
    try {
      const content = await this.#deps.reader.content({ read }, { sparse })
      return { ...content, before, after: await file.stat() }
    } finally {
      await ahead?.close()
    }
  }

  #otherName(file: SourceEntry): StoredContent | undefined {
    if (file.links < 2) return undefined
    const key = linkKey(file)
    const known = this.#linked.get(key)
    if (known === undefined || known.content.size !== file.size) return undefined
    known.left -= 1
    if (known.left === 0) this.#linked.delete(key)
    return known.content
  }

  async #awaitTick(file: SourceStat): Promise<void> {
    const ageMs = this.#ageMs(file)
    if (ageMs >= 0 && ageMs < tickMs) await this.#deps.clock.sleep(tickMs)
  }

  #ageMs({ ctimeNs }: SourceStat): number {
    return this.#deps.clock.nowMs() - Number(ctimeNs / 1_000_000n)
  }
}

/** Puts the extents of very large files into lists of their own. */
export async function storeContent(
  content: { extents: readonly Extent[]; size: number },
  trees: TreeSink,
): Promise<StoredContent> {
  const { extents, size } = content
  if (extents.length <= extentsInlineMax) return { size, extents, extentLists: [] }
  const extentLists: ChunkId[] = []
  for (let start = 0; start < extents.length; start += extentsPerList) {
    extentLists.push(await trees.add(encodeExtentList(extents.slice(start, start + extentsPerList))))
  }
  return { size, extents: [], extentLists }
}

function linkKey(file: SourceStat): string {
  return `${file.device}:${file.inode}:${file.ctimeNs}`
}

function changed(before: SourceStat, after: SourceStat): boolean {
  return before.size !== after.size || before.mtimeNs !== after.mtimeNs
}
