import { gcPacksPerSlice, packBytesMax, packRecordsMax } from '../../core/limits.ts'
import { indexBytes, packFooterBytes } from '../../format/pack-index.ts'
import type { CatalogueReader } from '../catalogue.ts'
import type { LiveChunks } from './live-chunks.ts'
import type { WeighedPack } from './repack-plan.ts'

export interface WeighSlice {
  readonly packs: readonly WeighedPack[]
  /** Row of the last pack that was looked at; undefined at the end. */
  readonly last: number | undefined
}

/** How much of each committed pack after `cursor` may be needed. Packs of sessions that are open are passed over. */
export async function weighSlice(tx: CatalogueReader, live: LiveChunks, cursor: number): Promise<WeighSlice> {
  const packs: WeighedPack[] = []
  let last: number | undefined
  let records = 0
  for (const pack of await tx.packs.page(cursor, gcPacksPerSlice)) {
    if (records >= packRecordsMax) break
    last = pack.id
    if (pack.state !== 'committed') continue
    const session = await tx.sessions.byId(pack.session)
    if (session?.state === 'open') continue
    const chunks = await tx.chunks.ofPack(pack.vault, pack.id)
    records += chunks.length
    const needed = chunks.filter((chunk) => live.mayBeNeeded(chunk.chunkId))
    const content = needed.reduce((sum, chunk) => sum + chunk.length, 0)
    const rest = needed.length === 0 ? 0 : indexBytes(needed.length) + packFooterBytes
    packs.push({ id: pack.id, lengthBytes: pack.lengthBytes, neededBytes: Math.min(content + rest, packBytesMax) })
  }
  return { packs, last }
}
