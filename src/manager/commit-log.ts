import { logBeginning, logHash } from '../format/log-chain.ts'
import type { CatalogueWriter } from './catalogue.ts'
import type { LogRow } from './catalogue-rows.ts'

/**
 * Adds to the chain of everything that makes or unmakes a fact which the packs do not carry. It is shipped to all
 * nodes, and a lost catalogue is made again from it and the packs. Resolves with the entry.
 */
export function appendToLog(tx: CatalogueWriter, kind: string, fields: Record<string, unknown>): Promise<LogRow> {
  return appendAt(tx, kind, { fields })
}

/** The same with a number of its own, above all others. */
export async function appendAt(
  tx: CatalogueWriter,
  kind: string,
  { fields, sequence }: { fields: Record<string, unknown>; sequence?: number },
): Promise<LogRow> {
  const previousHash = (await tx.log.newest())?.hash ?? logBeginning
  const payload = Buffer.from(JSON.stringify(fields))
  const row = { previousHash, hash: logHash(previousHash, kind, payload), kind, payload }
  return tx.log.append(sequence === undefined ? row : { ...row, sequence })
}
