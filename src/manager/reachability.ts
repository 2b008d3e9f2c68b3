import { TwofoldError } from '../core/errors.ts'
import { chunkKey, toHex } from '../core/ids.ts'
import type { ChunkId, ChunkKey } from '../core/ids.ts'
import { catalogueSliceRows } from '../core/limits.ts'
import { splitRefs } from './chunk-refs.ts'
import type { ManagerContext } from './context.ts'

export interface Walk {
  /** Row of the vault. */
  readonly vault: number
  /** A committed tree or snapshot. */
  readonly root: ChunkId
  /** Called between slices. */
  readonly onSlice: () => void
}

/**
 * The packs that hold everything that can be reached from a record. The catalogue is read in slices between which
 * others get their turn; a tree that occurs often is followed once.
 * @throws TwofoldError `missing-chunks` when something is not committed.
 */
export async function reachablePacks(
  context: Pick<ManagerContext, 'catalogue' | 'clock'>,
  walk: Walk,
): Promise<Set<number>> {
  const packs = new Set<number>()
  const seen = new Set<ChunkKey>([chunkKey(walk.root)])
  const trees: ChunkId[] = []
  const visit = async (ids: readonly ChunkId[]): Promise<void> => {
    const rows = await context.catalogue.read((tx) => tx.chunks.find(walk.vault, ids))
    for (const [index, row] of rows.entries()) {
      const id = ids[index] as ChunkId
      if (row === undefined) throw missing(id)
      packs.add(row.pack)
      if (row.kind === 'data' || (seen.has(chunkKey(id)) && id !== walk.root)) continue
      seen.add(chunkKey(id))
      trees.push(id)
    }
    walk.onSlice()
    await context.clock.yield()
  }
  await visit([walk.root])
  while (trees.length > 0) {
    const batch = trees.splice(-treesPerSlice)
    const lists = await context.catalogue.read((tx) => tx.chunks.refs(walk.vault, batch))
    const refs = lists.flatMap((list, index) => {
      if (list === undefined) throw missing(batch[index] as ChunkId)
      return splitRefs(list)
    })
    for (let start = 0; start < refs.length; start += catalogueSliceRows) {
      await visit(refs.slice(start, start + catalogueSliceRows))
    }
  }
  return packs
}

/** Most trees have tens of references, so a slice of these stays near `catalogueSliceRows`. */
const treesPerSlice = 128

function missing(id: ChunkId): TwofoldError {
  return new TwofoldError('missing-chunks', `chunk ${toHex(id)} is not committed; back up again`)
}
