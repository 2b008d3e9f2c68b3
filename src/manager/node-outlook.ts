import { inventorySliceRows, pageSizeMax, previewSnapshotsMax } from '../core/limits.ts'
import type { ByteShare } from '../core/node-admin.ts'
import type { ManagerContext } from './context.ts'
import { copiesCount } from './membership.ts'
import { isWantedCopy } from './node-standing.ts'
import type { Standings } from './node-standing.ts'
import { decodePackSet } from './pack-set.ts'
import { isOpen, standingsOf } from './repair-plan.ts'

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
    const { rows, copies, wanted } = await context.catalogue.read(async (tx) => {
      const found = await tx.copies.ofNode(node, { after: from, limit: inventorySliceRows })
      const vaults = await tx.vaults.all()
      return {
        rows: found,
        copies: await tx.copies.of(found.map((row) => row.pack)),
        wanted: new Map(vaults.map((vault) => [vault.id, vault.copies])),
      }
    })
    for (const [index, row] of rows.entries()) {
      if (row.state !== 'committed') continue
      packs += 1
      bytes += row.lengthBytes
      const others = (copies[index] ?? []).map((copy) => copy.node).filter((other) => other !== node)
      const left = standingsOf(others, standings)
      if (!left.some((other) => copiesCount(other.state))) last.add(row.pack)
      if (left.filter(isWantedCopy).length >= (wanted.get(row.vault) ?? 0)) continue
      short.add(row.pack)
      shortBytes += row.lengthBytes
    }
    after = rows.length < inventorySliceRows ? undefined : rows.at(-1)?.pack
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
  const vaults = await context.catalogue.read((tx) => tx.vaults.all())
  for (const vault of vaults) {
    for (let from: number | undefined = 0; from !== undefined;) {
      const start: number = from
      const query = { vault: vault.id, host: '', from: start, order: 'oldest-first', limit: pageSizeMax } as const
      const rows = await context.catalogue.read((tx) => tx.snapshots.page(query))
      for (const { commitSequence, snapshotId } of rows) {
        const needed = decodePackSet(
          (await context.catalogue.read((tx) => tx.snapshots.packs(commitSequence))) ?? new Uint8Array(),
        )
        if (!needed.some((pack) => packs.has(pack))) continue
        count += 1
        if (ids.length < previewSnapshotsMax) ids.push(snapshotId)
      }
      from = rows.length < pageSizeMax ? undefined : rows.at(-1)?.commitSequence
      await context.clock.yield()
    }
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
