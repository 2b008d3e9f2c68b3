import {
  damagedPerHeartbeatMax,
  problemCharactersMax,
  provenPerHeartbeatMax,
  provenShownAfterMs,
} from '../core/limits.ts'
import type { DamagedCopy, ProvenCopy } from '../core/messages.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { NodeRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'
import { notedWrite } from './noted-write.ts'

/** Takes note of copies that a node has put aside: they are copies no more, and are replaced. */
export async function takeDamaged(
  context: ManagerContext,
  row: NodeRow,
  reported: readonly DamagedCopy[],
): Promise<void> {
  const listed = reported.slice(0, damagedPerHeartbeatMax)
  const news = context.damaged.newsOf(row.id, listed)
  // What a full list leaves out may be there all the same.
  const over = listed.length < damagedPerHeartbeatMax ? context.damaged.notIn(row.id, listed) : []
  if (news.length === 0 && over.length === 0) return
  // Not after the transaction: a list that is taken in meanwhile must not bring them back.
  for (const { packId, putSequence } of [...news, ...over]) context.inventories.went(row.id, packId, putSequence)
  const lost = await notedWrite(context, async (tx) => {
    for (const copy of over) await tx.damaged.remove(copy)
    const packs = []
    for (const copy of news) packs.push(await recordDamage(context, tx, { row, copy }))
    return packs.flatMap((pack) => pack ?? [])
  })
  context.damaged.took(row.id, { news, over })
  for (const pack of lost) context.repair.queue.add('last-copy', pack)
  if (lost.length > 0) context.durability.copiesChanged()
  for (const { packId, problem } of news) {
    context.logger.error('a copy is damaged', { node: row.ref.name, pack: packId, problem })
  }
}

/** @returns the pack that lost a copy by it. */
async function recordDamage(
  context: ManagerContext,
  tx: CatalogueWriter,
  { row, copy }: { row: NodeRow; copy: DamagedCopy },
): Promise<{ pack: number; lengthBytes: number } | undefined> {
  const { packId, putSequence, foundAtMs } = copy
  const problem = copy.problem.slice(0, problemCharactersMax)
  await tx.damaged.add({ node: row.id, packId, putSequence, problem, foundAtMs })
  await tx.operations.add({
    kind: 'damage',
    timeMs: context.clock.nowMs(),
    actor: row.ref.name,
    subject: packId,
    result: 'failed',
    detail: problem,
    snapshotId: '',
    durationMs: 0,
  })
  const pack = await tx.packs.find(packId)
  if (pack === undefined || !(await tx.copies.remove(pack.id, { node: row.id, putSequence }))) return undefined
  return { pack: pack.id, lengthBytes: pack.lengthBytes }
}

/** Takes note of copies of which every byte was read. */
export async function takeProven(context: ManagerContext, row: NodeRow, proven: readonly ProvenCopy[]): Promise<void> {
  if (proven.length === 0) return
  await context.catalogue.write((tx) => tx.copies.prove(row.id, proven.slice(0, provenPerHeartbeatMax)))
  context.durability.provenChanged(provenShownAfterMs)
}
