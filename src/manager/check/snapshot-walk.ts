import { fromHex, toHex } from '../../core/ids.ts'
import type { ChunkId, SnapshotId } from '../../core/ids.ts'
import { catalogueSliceRows } from '../../core/limits.ts'
import { snapshotIdOf } from '../../format/manifest.ts'
import type { CatalogueReader } from '../catalogue.ts'
import type { ChunkRow } from '../catalogue-rows.ts'
import { splitRefs } from '../chunk-refs.ts'
import { Bitmap } from '../gc/bitmap.ts'

export interface WalkedSlice {
  readonly more: boolean
  readonly problems: readonly string[]
  /** Whether it came to another snapshot. */
  readonly atSnapshot: boolean
}

/**
 * Follows all snapshots, single files and what is in the trash included, to everything that they reach. What it keeps
 * in memory is a bit for each tree: one that many snapshots share is followed once.
 */
export class SnapshotWalk {
  readonly #seen = new Bitmap()
  readonly #trees: { readonly number: number; readonly id: ChunkId }[] = []
  readonly #refs: ChunkId[] = []
  #vault = 0
  #sequence = 0
  #snapshotId = ''

  get sequence(): number {
    return this.#sequence
  }

  get snapshotId(): string {
    return this.#snapshotId
  }

  async slice(tx: CatalogueReader): Promise<WalkedSlice> {
    if (this.#refs.length === 0 && this.#trees.length === 0) return this.#nextSnapshot(tx)
    // One that was removed meanwhile may be half gone, and needs nothing any more.
    if ((await tx.snapshots.find(this.#snapshotId as SnapshotId)) === undefined) {
      this.#refs.length = 0
      this.#trees.length = 0
      return { more: true, problems: [], atSnapshot: false }
    }
    const problems = this.#refs.length > 0 ? await this.#lookAtRefs(tx) : await this.#openTrees(tx)
    return { more: true, problems, atSnapshot: false }
  }

  async #nextSnapshot(tx: CatalogueReader): Promise<WalkedSlice> {
    const [next] = await tx.snapshots.sets(this.#sequence, 1)
    if (next === undefined) return { more: false, problems: [], atSnapshot: false }
    this.#sequence = next.commitSequence
    this.#vault = next.vault
    this.#snapshotId = next.snapshotId
    this.#refs.push(fromHex(next.snapshotId) as ChunkId)
    const row = await tx.snapshots.find(next.snapshotId)
    const right = row !== undefined && snapshotIdOf(row.manifest) === next.snapshotId
    const problems = right ? [] : ['its manifest is not the one that its id names']
    return { more: true, problems, atSnapshot: true }
  }

  async #openTrees(tx: CatalogueReader): Promise<string[]> {
    const trees = this.#trees.splice(-treesPerSlice)
    const lists = await tx.chunks.refsByNumber(trees.map(({ number }) => number))
    return lists.flatMap((list, at) => {
      if (list === undefined) return [`what tree ${toHex(trees[at]?.id as ChunkId)} refers to is not in the catalogue`]
      for (const id of splitRefs(list)) this.#refs.push(id)
      return []
    })
  }

  async #lookAtRefs(tx: CatalogueReader): Promise<string[]> {
    const ids = this.#refs.splice(-catalogueSliceRows)
    const rows = await tx.chunks.find(this.#vault, ids)
    const problems: string[] = []
    const inner: ChunkId[] = []
    for (const [at, row] of rows.entries()) {
      const id = ids[at] as ChunkId
      if (row === undefined) problems.push(`it needs chunk ${toHex(id)}, which is not in the catalogue`)
      else if (row.kind !== 'data') inner.push(id)
    }
    problems.push(...(await misplaced(tx, rows, ids)))
    const numbers = await tx.chunks.treeNumbers(this.#vault, inner)
    for (const [at, number] of numbers.entries()) {
      const id = inner[at] as ChunkId
      if (number === undefined) problems.push(`what tree ${toHex(id)} refers to is not in the catalogue`)
      else if (this.#seen.add(number)) this.#trees.push({ number, id })
    }
    return problems
  }
}

/** Most trees have tens of references, so a slice of these stays near `catalogueSliceRows`. */
const treesPerSlice = 128

/** Chunks that are read from a pack that is about to be deleted, or is. */
async function misplaced(
  tx: CatalogueReader,
  rows: readonly (ChunkRow | undefined)[],
  ids: readonly ChunkId[],
): Promise<string[]> {
  const packs = new Set(rows.flatMap((row) => row?.pack ?? []))
  const wrong = new Map((await tx.packs.notCommitted([...packs])).map((pack) => [pack.id, pack]))
  if (wrong.size === 0) return []
  return rows.flatMap((row, at) => {
    const pack = row === undefined ? undefined : wrong.get(row.pack)
    return pack === undefined
      ? []
      : [`it needs chunk ${toHex(ids[at] as ChunkId)} of pack ${pack.packId}, which is ${pack.state}`]
  })
}
