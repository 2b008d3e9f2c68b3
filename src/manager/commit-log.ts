import { blake3 } from '../format/hash.ts'
import type { CatalogueWriter } from './catalogue.ts'

const beginning = new Uint8Array(32)

/**
 * Adds to the chain of everything that made or unmade a snapshot. Each entry's hash covers the one before, so two
 * catalogues with the same newest hash have the same past.
 */
export async function appendToLog(tx: CatalogueWriter, kind: string, fields: Record<string, unknown>): Promise<void> {
  const previousHash = (await tx.log.newest())?.hash ?? beginning
  const payload = Buffer.from(JSON.stringify(fields))
  const hash = blake3(Buffer.concat([previousHash, Buffer.from(`${kind}\0`), payload]))
  await tx.log.append({ previousHash, hash, kind, payload })
}
