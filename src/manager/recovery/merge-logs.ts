import { toHex } from '../../core/ids.ts'
import { recoveryKind } from '../../format/log-chain.ts'
import type { CatalogueWriter } from '../catalogue.ts'
import type { LogRow } from '../catalogue-rows.ts'
import { appendAt } from '../commit-log.ts'
import type { RebuildDeps, RebuildFacts } from './summary.ts'

const pageEntries = 1000

/**
 * Makes one log of all that were gathered. The longest one goes on; a recovery entry, numbered above everything that
 * any node ever heard of, names the ends of all; what only other logs said is said again after it.
 */
export async function mergeLogs({ catalogue }: RebuildDeps, facts: RebuildFacts): Promise<void> {
  await catalogue.write(async (tx) => {
    const [longest] = await tx.recovery.logEnds()
    const main = await chainTo(tx, longest)
    for (const hash of main) {
      const row = await tx.recovery.log(hash)
      if (row !== undefined) await tx.log.append(row)
    }
    const highest = Math.max(longest?.sequence ?? 0, ...facts.ends.map((end) => end.sequence))
    const heads = facts.ends.map(({ sequence, hash }) => ({ sequence, hash: toHex(hash) }))
    const fields = { epoch: facts.epoch, heads, without: facts.held }
    await appendAt(tx, recoveryKind, { fields, sequence: highest + 1 })
    await sayAgain(tx, new Set(main.map(toHex)))
  })
}

/** Hashes of the entries that lead to this one, the oldest first. */
async function chainTo(tx: CatalogueWriter, end: LogRow | undefined): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (let row = end; row !== undefined; row = await tx.recovery.log(row.previousHash)) hashes.push(row.hash)
  return hashes.reverse()
}

async function sayAgain(tx: CatalogueWriter, main: ReadonlySet<string>): Promise<void> {
  let after = { sequence: -1, hash: new Uint8Array() }
  for (;;) {
    const page = await tx.recovery.logAfter(after, pageEntries)
    const last = page.at(-1)
    if (last === undefined) return
    for (const { hash, kind, payload } of page) {
      if (main.has(toHex(hash))) continue
      await appendAt(tx, kind === recoveryKind ? 'epoch' : kind, {
        fields: JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>,
      })
    }
    after = { sequence: last.sequence, hash: new Uint8Array(last.hash) }
  }
}
