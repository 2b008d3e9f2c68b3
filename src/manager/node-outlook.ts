import { previewSnapshotsMax } from '../core/limits.ts'
import type { ByteShare } from '../core/node-admin.ts'
import type { ManagerContext } from './context.ts'
import { keptSnapshots } from './kept-snapshots.ts'
import { copiesCount } from './membership.ts'
import { heldCopies } from './node-copies.ts'
import { isWantedCopy } from './node-standing.ts'
import type { Standings } from './node-standing.ts'
import { decodePackSet } from './pack-set.ts'
import { isOpen } from './repair-plan.ts'

/** What the cluster would be without a node. */
export interface Loss {
  /** Committed packs that the node has. */
  readonly packs: number
  readonly bytes: number
  /** Rows of those with no other copy on a node that counts. */
  readonly last: ReadonlySet<number>
  /** Rows of those that would have fewer copies than wanted, the last ones among them. */
  readonly short: ReadonlySet<number>
  readonly shortBytes: number
  /** Of the copies when this was found out. */
  readonly version: number
}

/** Goes through all copies of a node, in slices. */
export async function lossOf(context: ManagerContext, node: number): Promise<Loss> {
  const standings = context.members.standings()
  const version = await context.catalogue.read((tx) => tx.copies.version())
  const last = new Set<number>()
  const short = new Set<number>()
  let packs = 0
  let bytes = 0
  let shortBytes = 0
  for (let after: number | undefined = 0; after !== undefined;) {
    const from: number = after
    const { held, next } = await context.catalogue.read((tx) => heldCopies(tx, node, { after: from, standings }))
    for (const { pack, lengthBytes, wanted, others } of held) {
      packs += 1
      bytes += lengthBytes
      if (!others.some(({ state }) => copiesCount(state))) last.add(pack)
      if (others.filter(isWantedCopy).length >= wanted) continue
      short.add(pack)
      shortBytes += lengthBytes
    }
    after = next
    await context.clock.yield()
  }
  return { packs, bytes, last, short, shortBytes, version }
}

/** The backups that need one of these packs: how many, and the ids of the first. */
export async function snapshotsOf(
  context: ManagerContext,
  packs: ReadonlySet<number>,
): Promise<{ readonly count: number; readonly ids: readonly string[] }> {
  let count = 0
  const ids: string[] = []
  if (packs.size === 0) return { count, ids }
  for await (const { row } of keptSnapshots(context)) {
    const set = await context.catalogue.read((tx) => tx.snapshots.packs(row.commitSequence))
    if (!decodePackSet(set ?? new Uint8Array()).some((pack) => packs.has(pack))) continue
    count += 1
    if (ids.length < previewSnapshotsMax) ids.push(row.snapshotId)
    await context.clock.yield()
  }
  return { count, ids }
}

/** About where bytes would go: to the nodes with room, by how much each has. */
export function estimateTargets(bytes: number, without: number, standings: Standings): ByteShare[] {
  const open = [...standings.values()].filter((node) => node.node !== without && isOpen(node))
  const room = open.reduce((sum, node) => sum + node.leftBytes, 0)
  if (bytes === 0 || room === 0) return []
  return open.map((node) => ({ node: node.ref.name, bytes: Math.round((bytes * node.leftBytes) / room) }))
}
