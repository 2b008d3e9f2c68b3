import type { PackId } from '../core/ids.ts'
import { reportsPerRegistrationMax } from '../core/limits.ts'
import type { InventoryEntry, InventoryReport } from '../core/messages.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { CopyRow, NodeRow, OrderRow, PackRow, UnknownPackRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { orderDrop } from './drop-orders.ts'
import { mayDeleteCopies } from './may-delete.ts'
import type { QueuedPack } from './repair-queue.ts'

/** What is known of a pack that a node lists. */
export interface EntryFacts {
  readonly pack: Pick<PackRow, 'state' | 'lengthBytes'> | undefined
  /** What the catalogue has of the copy. */
  readonly copy: Pick<CopyRow, 'putSequence' | 'provenAtMs'> | undefined
  /** Orders to that node to drop the pack. */
  readonly drops: readonly OrderRow[]
  /** The newest put that the node has put aside, or that went while the list was under way. */
  readonly goneTo: number
  readonly asOfPutSequence: number
}

/**
 * - `unknown`: the catalogue never heard of the pack, so it is older than the node. Kept, and told.
 * - `going`: it is ordered away, or went already.
 * - `needless`: the catalogue says for sure that nobody needs it: exactly this put is ordered away.
 * - `open`: it is being written.
 * - `doubtful`: it cannot be what it should be.
 * - `copy`: it is a copy; `known` when nothing of it is new.
 */
export type EntryFate = 'unknown' | 'going' | 'needless' | 'open' | 'doubtful' | 'copy' | 'known'

export function judgeEntry(entry: InventoryEntry, facts: EntryFacts): EntryFate {
  const { pack, copy, drops, goneTo, asOfPutSequence } = facts
  if (pack === undefined) return 'unknown'
  if (pack.state === 'open') return 'open'
  if (entry.putSequence <= goneTo || drops.some((drop) => covers(drop, entry))) return 'going'
  if (pack.state === 'abandoned' || pack.state === 'deleted') return 'needless'
  if (entry.lengthBytes !== pack.lengthBytes) return 'doubtful'
  if (copy === undefined) return 'copy'
  // A newer put than the list's was made while it was on its way.
  if (copy.putSequence > asOfPutSequence) return 'known'
  return copy.putSequence === entry.putSequence && entry.provenAtMs <= copy.provenAtMs ? 'known' : 'copy'
}

function covers({ action }: OrderRow, entry: InventoryEntry): boolean {
  if (action.putSequenceMax > 0) return entry.putSequence <= action.putSequenceMax
  return entry.generation <= action.generationMax
}

/** A number that no other report of the node has: those of a registration begin anew. */
export function markOf({ registrationNumber, reportNumber }: InventoryReport): number {
  return registrationNumber * reportsPerRegistrationMax + reportNumber
}

/** What some entries of a report changed. */
export interface EntryNews {
  readonly added: readonly QueuedPack[]
  readonly removed: readonly QueuedPack[]
  readonly doubtful: readonly PackId[]
  /** Those that the node's digest has and the catalogue's has not. */
  readonly left: readonly InventoryEntry[]
  readonly unknown: number
  readonly newUnknown: number
}

interface Slice {
  readonly row: NodeRow
  readonly report: InventoryReport
  readonly entries: readonly InventoryEntry[]
}

export async function takeEntries(context: ManagerContext, tx: CatalogueWriter, slice: Slice): Promise<EntryNews> {
  const { row, report, entries } = slice
  const added: QueuedPack[] = []
  const removed: QueuedPack[] = []
  const doubtful: PackId[] = []
  const left: InventoryEntry[] = []
  const unknown: UnknownPackRow[] = []
  for (const entry of entries) {
    const { pack, ...facts } = await factsOf(context, tx, { row, report, entry })
    const fate = judgeEntry(entry, { pack, ...facts })
    if (pack === undefined) {
      unknown.push(entry)
      left.push(entry)
      continue
    }
    const { putSequence, provenAtMs } = entry
    const queued = { pack: pack.id, lengthBytes: pack.lengthBytes }
    // A recovery does not know which tickets there were: a new one must be newer than all that nodes have seen.
    if (fate !== 'open' && entry.generation > pack.generation) await tx.packs.raiseGeneration(pack.id, entry.generation)
    if (fate === 'needless' && mayDeleteCopies(context, row.ref.nodeId)) {
      const { packId, generation: generationMax } = pack
      const copy = { packId, putSequenceMax: putSequence, generationMax }
      await orderDrop(context, tx, { node: row.id, incarnation: row.ref.incarnation, ...copy })
    }
    if (fate === 'copy') {
      const known = facts.copy?.putSequence === putSequence ? facts.copy.provenAtMs : 0
      await tx.copies.put(pack.id, { node: row.id, putSequence, provenAtMs: Math.max(known, provenAtMs) })
      if (facts.copy === undefined) added.push(queued)
    }
    if (fate !== 'doubtful') continue
    doubtful.push(entry.packId)
    left.push(entry)
    if (await tx.copies.remove(pack.id, { node: row.id, putSequence })) removed.push(queued)
  }
  const newUnknown = await tx.unknownPacks.put(row.id, markOf(report), unknown)
  return { added, removed, doubtful, left, unknown: unknown.length, newUnknown }
}

async function factsOf(
  context: ManagerContext,
  tx: CatalogueWriter,
  { row, report, entry }: Omit<Slice, 'entries'> & { readonly entry: InventoryEntry },
): Promise<EntryFacts & { readonly pack: PackRow | undefined }> {
  const { packId, putSequence } = entry
  const pack = await tx.packs.find(packId)
  const [held = []] = pack === undefined ? [] : await tx.copies.of([pack.id])
  const orders = pack === undefined ? [] : await tx.orders.ofPack(packId)
  const damagedTo = (await tx.damaged.newest(row.id, packId)) ?? 0
  return {
    pack,
    copy: held.find((copy) => copy.node === row.id),
    drops: orders.filter((order) => order.node === row.id),
    goneTo: context.inventories.hasGone(row.id, packId, putSequence) ? putSequence : damagedTo,
    asOfPutSequence: report.asOfPutSequence,
  }
}
