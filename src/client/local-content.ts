import { asBuffer } from '../core/ids.ts'
import { bundledFileBytesMax, chunkBytesMax } from '../core/limits.ts'
import { blake3 } from '../format/hash.ts'
import type { Extent } from '../format/tree.ts'
import type { RestoreTarget, TargetPath, TargetStat } from './restore-target.ts'

/** What of a file is already in its place in the target, so that it need not be fetched. */
export interface LocalContent {
  /** Whether it is the whole file, and nothing else. */
  readonly complete: boolean
  /** The extent's bytes, if they are there; they are checked once more. The memory is used again by the next call. */
  read(index: number, extent: Extent, fileOffset: number): Promise<Uint8Array | undefined>
}

export interface LocalSearch {
  readonly target: RestoreTarget
  readonly names: TargetPath
  /** Length of the file that is restored. */
  readonly size: number
  readonly existing: TargetStat
  readonly extents: AsyncIterable<Extent>
  readonly signal: AbortSignal | undefined
}

/** Smaller files come with others in one piece: to look at them first would take longer than to fetch them. */
export function isWorthComparing(existing: TargetStat | undefined, size: number): existing is TargetStat {
  return existing?.type === 'file' && existing.size > 0 && size > bundledFileBytesMax
}

/**
 * Compares a file that is in the way with what is to be restored, extent by extent. Each extent that is a whole chunk
 * is found by its hash; nothing is taken for equal because of a time or a length.
 */
export async function findLocalContent({
  target,
  names,
  size,
  existing,
  ...search
}: LocalSearch): Promise<LocalContent> {
  const memory = Buffer.allocUnsafe(chunkBytesMax)
  const isThere = async (extent: Extent, fileOffset: number): Promise<Buffer | undefined> => {
    if (extent.length > memory.length || fileOffset + extent.length > existing.size) return undefined
    const bytes = memory.subarray(0, extent.length)
    if ((await target.readFile(names, bytes, fileOffset)) < extent.length) return undefined
    return asBuffer(blake3(bytes)).equals(asBuffer(extent.chunk ?? new Uint8Array())) ? bytes : undefined
  }
  const found: boolean[] = []
  let complete = existing.size === size
  let fileOffset = 0
  for await (const extent of search.extents) {
    search.signal?.throwIfAborted()
    const hole = extent.chunk === undefined
    const there = !hole && extent.chunkOffset === 0 && (await isThere(extent, fileOffset)) !== undefined
    found.push(there)
    // Whether a hole is one in the target does not matter enough to look: the file is written again.
    complete &&= there
    fileOffset += extent.length
  }
  return {
    complete,
    read: async (index, extent, offset) => (found[index] === true ? isThere(extent, offset) : undefined),
  }
}
