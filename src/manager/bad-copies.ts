import { TwofoldError } from '../core/errors.ts'
import { problemCharactersMax } from '../core/limits.ts'
import type { BadCopyReport, ExpectedRecord, OrderResult } from '../core/messages.ts'
import type { CatalogueReader } from './catalogue.ts'
import type { NodeRow, PackRow } from './catalogue-rows.ts'
import type { ManagerContext } from './context.ts'

/**
 * Somebody could not read a copy. The node that has it is ordered to check it; until it says itself that the copy is
 * bad, the copy counts: whoever reports may be the one whose memory or network is bad.
 * @returns whether the node checks it, or is about to
 */
export async function reportBadCopy(context: ManagerContext, report: BadCopyReport): Promise<boolean> {
  const { packId, nodeId } = report
  const node = context.members.find(nodeId)
  const { known, held, expected } = await context.catalogue.read(async (tx) => {
    const pack = await tx.packs.find(packId)
    const [copies = []] = pack === undefined ? [] : await tx.copies.of([pack.id])
    return {
      known: pack !== undefined,
      held: copies.some((copy) => copy.node === node?.id),
      expected: pack === undefined ? undefined : await sampleOf(tx, pack),
    }
  })
  if (!known) throw new TwofoldError('not-found', `there is no pack ${packId}`)
  if (node === undefined) throw new TwofoldError('not-found', `there is no node ${nodeId}`)
  const problem = report.problem.slice(0, problemCharactersMax)
  context.logger.warn('a copy is said to be bad', { node: node.ref.name, pack: packId, problem })
  return held && context.checks.order(node.id, { packId, incarnation: node.ref.incarnation, expected })
}

/** The last record of a pack that is still read from it: one that another pack hardly has in the same place. */
export async function sampleOf(tx: CatalogueReader, pack: PackRow): Promise<ExpectedRecord | undefined> {
  const last = (await tx.chunks.ofPack(pack.vault, pack.id)).at(-1)
  return last === undefined ? undefined : { chunkId: last.chunkId, offset: last.offset, length: last.length }
}

/** Takes in what a node says of the copies that it was ordered to check. */
export function hearChecks(context: ManagerContext, row: NodeRow, results: readonly OrderResult[]): void {
  for (const { action, result } of context.checks.answered(row.id, results)) {
    const fields = { node: row.ref.name, pack: action.packId, problem: result.problem }
    if (result.done && result.problem === '') context.logger.info('a copy that was said to be bad is good', fields)
    else context.logger.error('a copy that was said to be bad is bad', fields)
  }
}
