import { TwofoldError } from '../core/errors.ts'
import type { PackId } from '../core/ids.ts'
import { inventorySliceRows } from '../core/limits.ts'
import type { InventoryReport } from '../core/messages.ts'
import { copyDigestBytes, toggleCopy } from '../format/copy-digest.ts'
import type { CatalogueReader, CatalogueWriter } from './catalogue.ts'
import type { NodeRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { markOf, takeEntries } from './inventory-entries.ts'
import type { EntryNews } from './inventory-entries.ts'
import { hearInventory } from './lineage-watch.ts'
import { notedWrite } from './noted-write.ts'
import type { QueuedPack } from './repair-queue.ts'
import { requireRegistered } from './registration.ts'

/** What a report changed so far. */
interface Tally {
  readonly listed: Map<PackId, number>
  left: Uint8Array
  added: number
  removed: number
  unknown: number
  newUnknown: number
}

/**
 * Makes what the manager believes of a node the same as what the node says it has. Transactions are short, so that
 * others get their turn in between; a report that breaks off half-way is sent again.
 */
export async function takeInventory(context: ManagerContext, report: InventoryReport): Promise<void> {
  const { id } = requireRegistered(context, report)
  await context.inventories.inTurn(id, async () => {
    const row = requireRegistered(context, report)
    const last = await context.catalogue.read((tx) => tx.nodes.inventory(row.id))
    if (isNewer(report, last)) await intake(context, row, report)
  })
}

type Numbers = Pick<InventoryReport, 'registrationNumber' | 'reportNumber'>

function isNewer(report: Numbers, last: Numbers): boolean {
  if (report.registrationNumber !== last.registrationNumber) return report.registrationNumber > last.registrationNumber
  return report.reportNumber > last.reportNumber
}

async function intake(context: ManagerContext, row: NodeRow, report: InventoryReport): Promise<void> {
  const tally: Tally = {
    listed: new Map(),
    left: new Uint8Array(copyDigestBytes),
    ...{ added: 0, removed: 0, unknown: 0, newUnknown: 0 },
  }
  for (let start = 0; start < report.packs.length; start += inventorySliceRows) {
    const entries = report.packs.slice(start, start + inventorySliceRows)
    const news = await notedWrite(context, async (tx) => {
      await requireSameLife(tx, report)
      return takeEntries(context, tx, { row, report, entries })
    })
    for (const { packId, putSequence } of entries) tally.listed.set(packId, putSequence)
    absorb(context, row, { tally, news })
    await context.clock.yield()
  }
  await removeUnlisted(context, row, { report, tally })
  await finish(context, row, { report, tally })
}

async function requireSameLife(tx: CatalogueReader, report: InventoryReport): Promise<void> {
  const row = await tx.nodes.find(report.nodeId)
  if (row?.registrationNumber === report.registrationNumber && row.ref.incarnation === report.incarnation) return
  throw new TwofoldError('not-registered', 'the node registered anew while its list was taken in; register again')
}

function absorb(context: ManagerContext, row: NodeRow, { tally, news }: { tally: Tally; news: EntryNews }): void {
  const { repair, orders } = context
  for (const { packId, putSequence } of news.left) tally.left = toggleCopy(tally.left, packId, putSequence)
  tally.added += news.added.length
  tally.removed += news.removed.length
  tally.unknown += news.unknown
  tally.newUnknown += news.newUnknown
  for (const pack of news.added) repair.queue.add('surplus', pack)
  for (const pack of news.removed) repair.queue.add('last-copy', pack)
  for (const packId of news.doubtful) {
    orders.give(row.id, { kind: 'verify-pack', packId, incarnation: row.ref.incarnation })
  }
}

interface Rest {
  readonly report: InventoryReport
  readonly tally: Tally
}

/** Copies that the node should have and does not list, unless they were put there after the list was made. */
async function removeUnlisted(context: ManagerContext, row: NodeRow, { report, tally }: Rest): Promise<void> {
  let after: number | undefined = 0
  while (after !== undefined) {
    const from: number = after
    const slice = await notedWrite(context, async (tx) => {
      await requireSameLife(tx, report)
      return removeSlice(tx, row, { report, tally, after: from })
    })
    tally.removed += slice.removed.length
    for (const pack of slice.removed) context.repair.queue.add('last-copy', pack)
    after = slice.next
    await context.clock.yield()
  }
}

interface Removed {
  readonly removed: readonly QueuedPack[]
  readonly next: number | undefined
}

async function removeSlice(
  tx: CatalogueWriter,
  row: NodeRow,
  { report, tally, after }: Rest & { readonly after: number },
): Promise<Removed> {
  const copies = await tx.copies.ofNode(row.id, { after, limit: inventorySliceRows })
  const removed: QueuedPack[] = []
  for (const { pack, packId, putSequence, lengthBytes } of copies) {
    if (putSequence > report.asOfPutSequence || tally.listed.has(packId)) continue
    if (await tx.copies.remove(pack, { node: row.id, putSequence })) removed.push({ pack, lengthBytes })
  }
  const next = copies.length < inventorySliceRows ? undefined : copies.at(-1)?.pack
  return { removed, next }
}

async function finish(context: ManagerContext, row: NodeRow, { report, tally }: Rest): Promise<void> {
  const { registrationNumber, reportNumber, asOfPutSequence } = report
  await context.catalogue.write(async (tx) => {
    await requireSameLife(tx, report)
    await tx.unknownPacks.keepOnly(row.id, markOf(report))
    await tx.nodes.tookInventory(row.id, { registrationNumber, reportNumber, asOfPutSequence })
    const details = [
      tally.removed > 0 ? `${tally.removed} copies are missing` : '',
      tally.newUnknown > 0 ? `${tally.newUnknown} packs are not in the catalogue` : '',
    ].filter((detail) => detail !== '')
    if (details.length === 0) return
    await tx.operations.add({
      kind: 'inventory',
      timeMs: context.clock.nowMs(),
      actor: row.ref.name,
      subject: row.ref.address,
      result: 'failed',
      detail: details.join('; '),
      snapshotId: '',
      durationMs: 0,
    })
  })
  if (tally.added + tally.removed > 0) context.durability.copiesChanged()
  await hearInventory(context, row, tally.unknown)
  context.inventories.taken(row.id, tally.left, context.clock.monotonicMs())
  context.members.tookInventory(row.ref.nodeId)
  const { added, removed, unknown } = tally
  const fields = { node: row.ref.name, packs: report.packs.length, added, removed, unknown }
  context.logger.info('a list of packs was taken in', fields)
  if (removed > 0) context.logger.error('a node has lost copies', fields)
  if (unknown > 0) {
    context.logger.error('a node has packs that the catalogue does not know: is the catalogue an old one?', fields)
  }
}
