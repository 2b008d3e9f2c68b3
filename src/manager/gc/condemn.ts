import type { ManagerContext } from '../context.ts'
import type { NeededPacks } from './needed-packs.ts'

export interface Condemned {
  readonly packs: number
  readonly bytes: number
}

/**
 * Condemns those of `candidates` that nothing speaks for, as seen by this one transaction: no snapshot needs them, and
 * their own session is over. Look-ups take their chunks for absent from then on; a snapshot that needs one after all
 * brings it back.
 * @returns undefined when too much changed since `needed` was read: read on, and try again
 */
export async function condemnPacks(
  context: ManagerContext,
  needed: NeededPacks,
  candidates: readonly number[],
): Promise<Condemned | undefined> {
  return context.catalogue.write(async (tx) => {
    const wanted = await needed.among(tx, candidates)
    if (wanted === undefined) return undefined
    const rows = await tx.packs.byIds(candidates)
    const doomed = []
    for (const row of rows) {
      if (row?.state !== 'committed' || wanted.has(row.id)) continue
      const session = await tx.sessions.byId(row.session)
      if (session?.state !== 'open') doomed.push(row)
    }
    if (doomed.length === 0) return { packs: 0, bytes: 0 }
    const ids = doomed.map((row) => row.id)
    await tx.packs.condemn(ids, await tx.sessions.newest())
    return { packs: ids.length, bytes: doomed.reduce((sum, row) => sum + row.lengthBytes, 0) }
  })
}
