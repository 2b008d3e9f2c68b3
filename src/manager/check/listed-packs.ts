import type { ListedPack, ListPacksRequest } from '../../core/check-messages.ts'
import { pageSizeMax, sampledPacksMax } from '../../core/limits.ts'
import type { Page } from '../../core/messages.ts'
import { sampleOf } from '../bad-copies.ts'
import type { ManagerContext } from '../context.ts'
import { makeToken, pageLimit, readNumberToken } from '../paging.ts'
import { describeCopy } from '../snapshot-view.ts'

/** The committed packs among the next ones. */
export async function listPacks(context: ManagerContext, request: ListPacksRequest): Promise<Page<ListedPack>> {
  const limit = Math.min(pageLimit(request.pageSize), request.withSample ? sampledPacksMax : pageSizeMax)
  const after = readNumberToken('packs', request.pageToken) ?? 0
  return context.catalogue.read(async (tx) => {
    const rows = await tx.packs.page(after, limit)
    const committed = rows.filter((row) => row.state === 'committed')
    const copies = await tx.copies.of(committed.map((row) => row.id))
    const vaults = new Map((await tx.vaults.all()).map((vault) => [vault.id, vault]))
    const items: ListedPack[] = []
    for (const [index, row] of committed.entries()) {
      const vault = vaults.get(row.vault)
      items.push({
        packId: row.packId,
        vault: vault?.name ?? '',
        lengthBytes: row.lengthBytes,
        copiesWanted: vault?.copies ?? 0,
        copies: (copies[index] ?? []).flatMap((copy) => describeCopy(context, copy)),
        sample: request.withSample ? await sampleOf(tx, row) : undefined,
      })
    }
    const last = rows.length < limit ? undefined : rows.at(-1)
    return { items, nextPageToken: last === undefined ? '' : makeToken('packs', String(last.id)) }
  })
}
