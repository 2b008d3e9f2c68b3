import type { CatalogueWriter } from './catalogue.ts'
import type { ManagerContext } from './context.ts'

/**
 * A transaction after which its author tells the queue of repair of every pack whose copies it changed: that copies
 * changed is then no reason to go through all packs.
 */
export async function notedWrite<T>(context: ManagerContext, work: (tx: CatalogueWriter) => Promise<T>): Promise<T> {
  const { result, before, after } = await context.catalogue.write(async (tx) => {
    const versionBefore = await tx.copies.version()
    const worked = await work(tx)
    return { result: worked, before: versionBefore, after: await tx.copies.version() }
  })
  context.repair.queue.versionRaised(before, after)
  return result
}
